"""Reaches into plain documents, where a typed view is not to be had."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches

from reconciler.definitions.model import DocumentPath
from reconciler.kernel.value import JsonValue


def reach(value: JsonValue, *path: str | int) -> JsonValue:
    """Give what stands at a path, or ``None``."""
    for step in path:
        if isinstance(value, Mapping) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, Sequence) and isinstance(step, int) and not isinstance(value, str):
            value = value[step] if step < len(value) else None
        else:
            return None
    return value


def mapping_at(value: JsonValue, *path: str | int) -> Mapping[str, JsonValue]:
    """Give the mapping at a path, or an empty one."""
    found = reach(value, *path)
    return found if isinstance(found, Mapping) else {}


def text_at(value: JsonValue, *path: str | int) -> str:
    """Give the text at a path, or an empty one."""
    found = reach(value, *path)
    return found if isinstance(found, str) else ""


def strings(value: JsonValue, path: DocumentPath = ()) -> Iterator[tuple[DocumentPath, str]]:
    """Give every text below a path with its own path: values, and keys where they stand."""
    waiting: list[tuple[DocumentPath, JsonValue]] = [(path, value)]
    while waiting:
        at, node = waiting.pop()
        if isinstance(node, str):
            yield at, node
        elif isinstance(node, Mapping):
            yield from (((*at, key), key) for key in node)
            waiting += [((*at, key), below) for key, below in node.items()]
        elif isinstance(node, Sequence):
            waiting += [((*at, number), below) for number, below in enumerate(node)]


def dotted(path: Iterable[str | int]) -> str:
    """Write a path as people read it: ``spec.rows[0].externalId``."""
    parts = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in path]
    return "".join(parts).removeprefix(".")


def meant(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """Suggest the nearest known name, list the few there are, or advise otherwise."""
    candidates = sorted(set(known))
    shortened = [candidate for candidate in candidates if candidate.startswith(name)]
    if near := get_close_matches(name, candidates, n=1, cutoff=0.7) or shortened:
        return f"Did you mean `{near[0]}`?"
    if candidates and not otherwise:
        return f"Known are {listed(candidates)}."
    return otherwise


def listed(names: Iterable[str], shown: int = 5) -> str:
    """List names in backticks, and count those beyond the first few."""
    quoted = [f"`{name}`" for name in names]
    if len(quoted) > shown:
        return ", ".join(quoted[:shown]) + f" and {len(quoted) - shown} more"
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)
