"""The last look before configurations are written: does the organisation still spell things so?

A dialect may be old, or copied from another organisation, and m3ter may well keep keys that it does
not know: bills would then go out by its defaults. What is not published proves nothing, and a
dialect that a person wrote or that was read off live settings knows better than what is published.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from reconciler.definitions.core.settings import settings_of
from reconciler.definitions.kinds.dialect import DialectSpec
from reconciler.dialect.core.discovery import propose
from reconciler.dialect.core.published import read_available
from reconciler.errors import HeldError
from reconciler.kernel.value import JsonValue
from reconciler.m3ter.ports import AccessError, Integrations, RefusedError
from reconciler.plan.model.change import Change, ConfigurationContent
from reconciler.plan.model.plan import Plan


class DisprovedDialectError(HeldError):
    """The organisation publishes other wire names than those the plan would send."""

    def __init__(self, plan: Plan, differences: Iterable[str]) -> None:
        listed = "\n".join(f"  {difference}" for difference in differences)
        super().__init__(
            f"plan {plan.id:.12} would send wire names that this organisation does not use:\n"
            f"{listed}\nNothing was written. Run `reconciler discover --env "
            f"{plan.body.environment}`, review the Dialect it writes, and plan again."
        )


def confirm_dialects(plan: Plan, integrations: Integrations) -> None:
    """Compare the dialects of what will be written with what the organisation publishes.

    Args:
        plan: About to be carried out.
        integrations: Asked once for each destination and entity type that is written.

    Raises:
        DisprovedDialectError: When the two contradict each other.
    """
    written = set(_written(plan.body.changes))
    found = [
        difference
        for dialect in _dialects(plan)
        if dialect.evidence.source == "discover"
        and (dialect.wire_names.destination, dialect.wire_names.entity_type) in written
        for difference in _differences(dialect, integrations)
    ]
    if found:
        raise DisprovedDialectError(plan, found)


def _written(changes: Iterable[Change]) -> Iterator[tuple[str, str]]:
    for change in changes:
        content = getattr(change, "content", None)
        if isinstance(content, ConfigurationContent) and change.type != "disconnect":
            yield content.destination, content.entity_type


def _dialects(plan: Plan) -> Iterator[DialectSpec]:
    documents = plan.body.definitions.get("Dialect")
    for body in documents.values() if isinstance(documents, Mapping) else ():
        yield DialectSpec.model_validate(body, strict=False)


def _differences(dialect: DialectSpec, integrations: Integrations) -> Iterator[str]:
    names = dialect.wire_names
    try:
        answer = integrations.available(names.destination, names.entity_type)
    except AccessError:
        raise
    except RefusedError:
        return
    available = read_available(answer, dialect.destination, dialect.entity_type)
    head: dict[str, JsonValue] = {
        "destination": dialect.destination,
        "entityType": dialect.entity_type,
    }
    published = propose(available, settings_of(dialect.destination), head, None).spec or {}
    for path, key in _entries(published.get("keys")):
        ours = dialect.keys.get(path)
        if ours is not None and ours != key:
            yield f"`{path}` is `{ours}` in the Dialect, and m3ter calls it `{key}`"
    for path, words in _entries(published.get("values")):
        for word, theirs in _entries(words):
            sent = dialect.values.get(path, {}).get(word)
            if sent is not None and sent != theirs:
                yield f"`{path}: {word}` is `{sent}` in the Dialect, and m3ter calls it `{theirs}`"


def _entries(value: JsonValue) -> Iterable[tuple[str, JsonValue]]:
    return value.items() if isinstance(value, Mapping) else ()
