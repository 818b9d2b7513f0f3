"""Three-way merge of one field: what git wants, what m3ter has, and what the last apply left.

The base is a pair: what we *sent* and what we *read* back. Git moved when ``desired`` is not
``sent``; m3ter moved when ``live`` is not ``read``; so a server's own spelling is no difference.

========  =========  ===========  ==================  =============================================
base      git moved  m3ter moved  desired and live    verdict
========  =========  ===========  ==================  =============================================
there     no         no           any                 same
there     one of both             equal               same
there     yes        yes          equal               both
there     yes        no           apart               ours
there     no         yes          apart               theirs (drift)
there     yes        yes          apart               conflict
missing                           equal               same
missing                           live is not set     ours
missing                           desired is not set  unmanaged if git never had it, else conflict
missing                           apart               conflict
========  =========  ===========  ==================  =============================================

Sets merge per element, scalars whole: a set that git and m3ter both changed has both verdicts.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from reconciler.definitions.core.spelling import Value, equal
from reconciler.kernel.value import ABSENT, Absent, JsonValue
from reconciler.plan.model.applied import BaseField
from reconciler.plan.model.change import FieldValue, Verdict

Side: TypeAlias = "Value | Absent"
"""One side of a field; ``ABSENT`` where it is not set."""

SEVERITY: Final[tuple[Verdict, ...]] = ("conflict", "theirs", "ours", "both", "same", "unmanaged")


def merge(
    base: BaseField | None, live: Side, desired: Side, *, modelled: bool
) -> tuple[Verdict, ...]:
    """Judge one field; more than one verdict only for a set, the gravest first.

    Args:
        base: Of the last apply, if the field was managed then.
        live: In comparable form.
        desired: In comparable form.
        modelled: Whether git has an opinion even where it says nothing.
    """
    if base is None:
        return _without_base(live, desired, modelled=modelled)
    sent, read = in_form_of(base.sent, live, desired), in_form_of(base.read, live, desired)
    if all(isinstance(side, frozenset) for side in (sent, read, live, desired)):
        return _sets(sent, read, live, desired)
    return (_scalar(sent, read, live, desired),)


def in_form_of(held: FieldValue | None, *others: Side) -> Side:
    """Bring a stored value into the form of the other sides: a list becomes a set beside sets."""
    if held is None:
        return ABSENT
    if isinstance(held.value, list | tuple) and any(
        isinstance(other, frozenset) for other in others
    ):
        return frozenset(str(element) for element in held.value)
    return held.value


def _scalar(sent: Side, read: Side, live: Side, desired: Side) -> Verdict:
    git, m3ter = not equal(desired, sent), not equal(live, read)
    match git, m3ter, equal(desired, live):
        case (True, True, True):
            return "both"
        case (False, False, _) | (_, _, True):
            return "same"
        case (True, False, _):
            return "ours"
        case (False, True, _):
            return "theirs"
        case _:
            return "conflict"


def _without_base(live: Side, desired: Side, *, modelled: bool) -> tuple[Verdict, ...]:
    if equal(live, desired):
        return ("same",)
    if live is ABSENT:
        return ("ours",)
    if desired is ABSENT and not modelled:
        return ("unmanaged",)
    if isinstance(live, frozenset) and isinstance(desired, frozenset) and live < desired:
        return ("ours",)
    return ("conflict",)


def _sets(*sides: Side) -> tuple[Verdict, ...]:
    sent, read, live, desired = (
        side if isinstance(side, frozenset) else frozenset() for side in sides
    )
    found: set[Verdict] = {
        _scalar(member in sent, member in read, member in live, member in desired)
        for member in sent | read | live | desired
    }
    return tuple(sorted(found - {"same"}, key=SEVERITY.index)) or ("same",)


def as_stored(value: Side) -> FieldValue | None:
    """Give the stored form of a side: a set becomes a sorted list."""
    if isinstance(value, Absent):
        return None
    json: JsonValue = sorted(value) if isinstance(value, frozenset) else value
    return FieldValue(json)
