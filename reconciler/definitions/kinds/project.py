"""Project: the one document that says how careful this repository is."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from reconciler.definitions.kinds.envelope import DefinitionPart, Duration, Envelope, Name, Text

GuardName = Literal[
    "max-deletes",
    "empty-scope",
    "protected",
    "first-contact",
    "sensitive-field",
    "widening",
    "drift",
    "conflict",
    "dialect",
    "double-route",
    "coverage",
    "interlock",
    "freeze",
    "plan-age",
    "source",
    "policy",
]


GitName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$")]
GitBranch = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$")
]


class StateBackend(DefinitionPart):
    """Where the chain of applied records is kept."""

    backend: Literal["directory", "git-branch"]
    """`directory` keeps it in a folder, `git-branch` on an orphan branch per environment."""
    path: Text = ".reconciler/state"
    """The folder of the `directory` backend, relative to the repository."""
    remote: GitName = "origin"
    """The git remote that `git-branch` keeps the state on, as the clone calls it; never a URL, so
    that a pull request cannot send a token elsewhere."""
    source: GitBranch = "main"
    """The branch of that remote that protected environments are applied from."""


class MaxDeletes(DefinitionPart):
    """How many deletions a plan may hold without an approval."""

    count: Annotated[int, Field(ge=0)] = 20
    """At most this many."""
    fraction: Annotated[Decimal, Field(ge=0, le=1, strict=False)] = Decimal("0.10")
    """At most this share of the existing objects; counts from 10 existing objects up."""


class Guards(DefinitionPart):
    """Limits that a plan may not pass without an approval."""

    max_deletes: MaxDeletes = MaxDeletes()
    """How many deletions go through unasked."""
    max_plan_age: Duration = "24h"
    """An older saved plan needs an approval."""
    routine_fields: tuple[Text, ...] = (
        "displayName",
        "integrationDisabledNotificationUsers",
        "sortLineItemsBy",
    )
    """In protected environments every other field change needs an approval. Names without the
    panel they stand in are meant in every panel."""


class Approvers(DefinitionPart):
    """Who may approve which guards."""

    guards: Annotated[tuple[GuardName, ...], Field(min_length=1)]
    """The guards."""
    fields: tuple[Text, ...] = ()
    """Only for changes of these fields; empty for all."""
    environments: tuple[Name, ...] = ()
    """Only in these environments; empty for all."""
    count: Annotated[int, Field(ge=1, le=10)] = 1
    """How many different people must approve."""
    by: Literal["command", "review"] = "command"
    """`command` takes a written line `/approve GUARD@PLANID` in a review; with `review` an Approve
    of the forge counts too, where the forge dismisses approvals on push."""
    github: Annotated[tuple[Text, ...], Field(min_length=1)] = ()
    """GitHub users, and teams as `organization/team`."""
    gitea: Annotated[tuple[Text, ...], Field(min_length=1)] = ()
    """Gitea or Forgejo users, and teams as `organization/team`."""


class ProjectSpec(DefinitionPart):
    """How this repository treats what it manages."""

    prune: Literal["never", "confirm", "allow"]
    """What happens to a managed object that leaves git: nothing, a deletion that needs an
    approval, or a deletion. Required; there is no default."""
    adoption: Literal["by-name", "explicit"]
    """What to do when a live object already bears the name: take it over, or wait for
    `reconciler adopt`."""
    on_drift: Literal["approve", "revert"] = "approve"
    """Whether undoing a change made outside git needs an approval."""
    state: StateBackend = StateBackend(backend="directory")
    """Where the chain of applied records is kept."""
    guards: Guards = Guards()
    """Limits of a plan."""
    approvers: tuple[Approvers, ...] = ()
    """Who may approve what."""
    public_reports: Literal["codes", "names"] = "codes"
    """Whether reports in public places print account codes or account names."""


class Project(Envelope):
    """The one Project of a repository."""

    kind: Literal["Project"]
    """Always `Project`."""
    spec: ProjectSpec
    """The settings."""
