"""The push integrations in force, and everything else that decides what is pushed."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.definitions.core.as_data import dialect_for
from reconciler.definitions.kinds.dialect import DialectSpec
from reconciler.definitions.kinds.environment import EnvironmentSpec
from reconciler.definitions.model import Effective
from reconciler.drafting.route import Readings
from reconciler.errors import InvalidError
from reconciler.kernel.line_item import Destination
from reconciler.kernel.ports import Progress
from reconciler.m3ter.ports import Organisation
from reconciler.plan.compare import compare
from reconciler.plan.model.applied import AppliedRecord
from reconciler.sync.in_force.applied_definitions import definitions_in_force
from reconciler.sync.in_force.push_route import BILL, PushRoute, routes_in_force
from reconciler.sync.model.push import SiteName


class NoSiteError(InvalidError):
    """The environment in force names no Chargebee site."""

    def __init__(self, environment: str) -> None:
        super().__init__(
            f"environment `{environment}`, as it was applied, has no `chargebee` site.\n"
            "Nothing was sent. Add it to the Environment and apply."
        )


class NoPushError(InvalidError):
    """No integration in force is pushed."""

    def __init__(self, environment: str, wanted: str = "") -> None:
        what = f"push integration `{wanted}`" if wanted else "integration with `delivery: push`"
        super().__init__(
            f"what was applied to `{environment}` has no {what}.\n"
            "Nothing was sent. Check the name, or apply the definition first."
        )


@dataclass(frozen=True, slots=True)
class PushesInForce:
    """Everything that decides what is pushed in one environment.

    Attributes:
        environment: Its settings in force.
        record: Sequence of the applied record; 0 when the files alone were read.
        commit: Its source commit.
    """

    name: str
    environment: EnvironmentSpec
    site: SiteName
    routes: tuple[PushRoute, ...]
    dialect: DialectSpec | None
    record: int
    commit: str

    def route(self, name: str) -> PushRoute | None:
        """Find a push integration by name."""
        return next((candidate for candidate in self.routes if candidate.name == name), None)


def read_in_force(
    working: Effective,
    head: AppliedRecord | None,
    organisation: Organisation,
    progress: Progress,
    *,
    from_files: bool = False,
    readings: Readings | None = None,
) -> PushesInForce:
    """Read what is in force and what m3ter has of it; nothing is written.

    Args:
        working: The files.
        head: The newest applied record.
        organisation: The connected organisation.
        progress: Hears what is read.
        from_files: Take the files instead of the record; only for printing.
        readings: How undocumented rules are read.

    Raises:
        NothingAppliedError: When nothing was applied.
        NoSiteError: When there is no site.
        NoPushError: When nothing is pushed.
    """
    effective = working if from_files else definitions_in_force(head, working)
    environment = effective.environment
    site = environment.spec.chargebee
    if site is None:
        raise NoSiteError(environment.name)
    pushed = [
        integration for integration in effective.integrations if integration.spec.delivery == "push"
    ]
    if not pushed:
        raise NoPushError(environment.name)
    compared = compare(effective, head, organisation, progress)
    dialects = [defined.spec for defined in effective.dialects]
    return PushesInForce(
        name=environment.name,
        environment=environment.spec,
        site=SiteName(site.site),
        routes=routes_in_force(pushed, compared, organisation, readings or Readings()),
        dialect=dialect_for(dialects, Destination.CHARGEBEE, BILL),
        record=head.sequence if head and not from_files else 0,
        commit=head.source_commit if head and not from_files else "",
    )
