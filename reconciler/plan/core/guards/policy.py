"""Rules that change are items themselves, and what judges them is what was applied before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, Self

from reconciler.definitions.kinds.envelope import DefinitionPart
from reconciler.definitions.kinds.environment import EnvironmentSpec
from reconciler.definitions.kinds.project import ProjectSpec
from reconciler.definitions.model import Effective
from reconciler.kernel.exact_json import as_json
from reconciler.kernel.value import JsonObject, JsonValue
from reconciler.plan.core.guards.approval import Needs, hit
from reconciler.plan.model.change import FieldValue
from reconciler.plan.model.plan import GuardHit

Prune = Literal["never", "confirm", "allow"]


@dataclass(frozen=True, slots=True)
class Policy:
    """How careful one environment is: the Project's rules and its own."""

    project: ProjectSpec
    environment: EnvironmentSpec

    @classmethod
    def wanted(cls, effective: Effective) -> Self:
        """Give the rules as git has them."""
        return cls(effective.project.spec, effective.environment.spec)


def applied_policy(definitions: JsonObject) -> Policy | None:
    """Read the rules back from an applied record; ``None`` before anything was applied."""
    project, environment = (_only(definitions, kind) for kind in ("Project", "Environment"))
    if project is None or environment is None:
        return None
    return Policy(
        ProjectSpec.model_validate(project, strict=False),
        EnvironmentSpec.model_validate(environment, strict=False),
    )


def in_force(applied: Policy | None, wanted: Policy) -> Policy:
    """Give the rules that judge a plan: those applied before, and no weaker for being changed.

    Protection and freeze windows hold as soon as they are proposed, and until they are gone.
    """
    if applied is None:
        return wanted
    windows = (*applied.environment.freeze, *wanted.environment.freeze)
    return Policy(
        applied.project.model_copy(
            update={"prune": _careful(applied.project.prune, wanted.project.prune)}
        ),
        applied.environment.model_copy(
            update={
                "protected": applied.environment.protected or wanted.environment.protected,
                "freeze": tuple(dict.fromkeys(windows)),
            }
        ),
    )


def policy(applied: Policy | None, wanted: Policy) -> Iterator[GuardHit]:
    """Ask before a rule changes; a default that is written out is no change."""
    if applied is None:
        return
    is_protected = in_force(applied, wanted).environment.protected
    needs: Needs = "approval" if is_protected else "confirmation"
    before, after = _fields(applied), _fields(wanted)
    for field in sorted({*before, *after}):
        if before.get(field) != after.get(field):
            yield hit(
                "policy",
                f"the rule `{field}` would change",
                field=field,
                base=_value(before, field),
                desired=_value(after, field),
                needs=needs,
            )


def _careful(applied: Prune, wanted: Prune) -> Prune:
    return "allow" if applied == wanted == "allow" else "confirm"


def _only(definitions: JsonObject, kind: str) -> JsonValue:
    held = definitions.get(kind)
    return next(iter(held.values()), None) if isinstance(held, Mapping) else None


def _fields(policy: Policy) -> dict[str, JsonValue]:
    return {
        **dict(_leaves("project", _plain(policy.project))),
        **dict(_leaves("environment", _plain(policy.environment))),
    }


def _plain(spec: DefinitionPart) -> JsonValue:
    return as_json(spec.model_dump(by_alias=True, exclude_none=True))


def _leaves(path: str, value: JsonValue) -> Iterator[tuple[str, JsonValue]]:
    if isinstance(value, Mapping) and value:
        for name, below in value.items():
            yield from _leaves(f"{path}.{name}", below)
    else:
        yield path, value


def _value(fields: Mapping[str, JsonValue], field: str) -> FieldValue | None:
    return FieldValue(fields[field]) if field in fields else None
