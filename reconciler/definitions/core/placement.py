"""Where in git a value of one environment belongs, so that no other environment changes.

===================================================  =============================================
the value is set                                     a new one goes
===================================================  =============================================
by the environment's patch                           into that patch
by the base, and no other environment takes it       into the base
by the base, and another environment takes it too    into the environment's patch, made if missing
by nobody                                            as if the base had set it
===================================================  =============================================
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler.definitions.core.edits import AddDocuments, Edit, RemoveValue, SetValue
from reconciler.definitions.core.overlay import merged
from reconciler.definitions.kinds.envelope import API_VERSION
from reconciler.definitions.model import Definitions, Document, DocumentPath, KindName
from reconciler.kernel.value import ABSENT, Absent, JsonObject, JsonValue

Values = Mapping[DocumentPath, "JsonValue | Absent"]
"""New values by path below ``spec``; ``ABSENT`` for one that goes."""


@dataclass(frozen=True, slots=True)
class Layers:
    """The documents that one object has.

    Attributes:
        patch: Of the environment in question.
        others: Patches of the other environments; ``None`` for those without one.
    """

    base: Document
    patch: Document | None
    others: Mapping[str, Document | None]
    environment: str

    def setter(self, path: DocumentPath) -> Document:
        """Give the document that rules at a path below ``spec`` in this environment."""
        return self.patch if self.patch and _rules(self.patch, path) else self.base

    def sharers(self, path: DocumentPath) -> tuple[str, ...]:
        """Name the other environments that take a value from the base."""
        return tuple(
            name
            for name, document in self.others.items()
            if document is None or not _rules(document, path)
        )


def layers(definitions: Definitions, kind: KindName, name: str, environment: str) -> Layers:
    """Find the documents of one object, which git has."""
    documents = [
        definition
        for definition in definitions.documents
        if (definition.kind, definition.name) == (kind, name)
    ]
    by_environment = {document.environment: document for document in documents}
    base = by_environment[None]
    names = environment_names(definitions)
    return Layers(
        base,
        by_environment.get(environment),
        {other: by_environment.get(other) for other in names if other != environment},
        environment,
    )


def environment_names(definitions: Definitions) -> tuple[str, ...]:
    """Name all environments, sorted."""
    found = {
        definition.name for definition in definitions.documents if definition.kind == "Environment"
    }
    return tuple(sorted(found))


def edits_for(layers: Layers, values: Values) -> tuple[Edit, ...]:
    """Give the edits that make values hold in one environment and in no other.

    Args:
        layers: The documents of the object.
        values: What shall hold.
    """
    here = {path: value for path, value in values.items() if layers.setter(path) is layers.patch}
    shared = {path: value for path, value in values.items() if path not in here}
    patched = here | {path: value for path, value in shared.items() if layers.sharers(path)}
    based = {path: value for path, value in values.items() if path not in patched}
    return (*_in_base(layers.base, based), *_in_patch(layers, patched))


def at(body: JsonValue, path: DocumentPath) -> JsonValue | Absent:
    """Read the value at a path of keys."""
    for step in path:
        if not isinstance(body, Mapping) or step not in body:
            return ABSENT
        body = body[str(step)]
    return body


def difference(old: JsonValue | Absent, new: JsonValue) -> JsonValue:
    """Give the merge patch (RFC 7396) that turns one value into another."""
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return new
    gone: dict[str, JsonValue] = dict.fromkeys((key for key in old if key not in new), None)
    return gone | {
        key: difference(old.get(key, ABSENT), value)
        for key, value in new.items()
        if key not in old or old[key] != value
    }


def _in_base(base: Document, values: Values) -> Iterator[Edit]:
    for path, value in values.items():
        place = ("spec", *path)
        if isinstance(value, Absent):
            yield RemoveValue(base.file, base.index, place)
        else:
            yield SetValue(base.file, base.index, place, value)


def _in_patch(layers: Layers, values: Values) -> Iterator[Edit]:
    patch, whole = layers.patch, layers.base.body["spec"]
    spec: JsonObject = {}
    for path, value in values.items():
        below = at(whole, path)
        if not isinstance(value, Absent) or below is not ABSENT:
            wanted = None if isinstance(value, Absent) else difference(below, value)
            spec = _grafted(spec, path, wanted)
            if patch:
                yield SetValue(patch.file, patch.index, ("spec", *path), wanted)
        elif patch:
            yield RemoveValue(patch.file, patch.index, ("spec", *path))
    if patch is None and spec:
        yield AddDocuments(_patch_file(layers), (_patch(layers, spec),))


def _grafted(spec: JsonObject, path: DocumentPath, value: JsonValue) -> JsonObject:
    first, *rest = path
    if not rest:
        return {**spec, str(first): value}
    below = spec.get(str(first))
    inner = below if isinstance(below, Mapping) else {}
    return {**spec, str(first): _grafted(inner, tuple(rest), value)}


def _patch(layers: Layers, spec: JsonObject) -> JsonObject:
    return {
        "apiVersion": API_VERSION,
        "kind": layers.base.kind,
        "metadata": {"name": layers.base.name, "environment": layers.environment},
        "spec": spec,
    }


def _patch_file(layers: Layers) -> str:
    """Put a new patch beside its object, under the environment's name."""
    folder = posixpath.dirname(layers.base.file)
    alone = posixpath.basename(folder) == layers.base.name
    name = layers.environment if alone else f"{layers.base.name}-{layers.environment}"
    return f"{folder}/{name}.yaml"


def _rules(patch: Document, path: DocumentPath) -> bool:
    """Tell whether a patch decides about a path: by setting it, or by what it does above."""
    body: JsonValue = patch.body["spec"]
    for step in path:
        if not isinstance(body, Mapping):
            return True
        if step not in body:
            return False
        body = body[str(step)]
    return True


def patched_spec(layers: Layers) -> JsonObject:
    """Give the ``spec`` as it holds in the environment."""
    whole = layers.base.body["spec"]
    value = merged(whole, layers.patch.body["spec"]) if layers.patch else whole
    assert isinstance(value, Mapping)
    return value
