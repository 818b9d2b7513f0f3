"""Which documents make up the repository: one Project, names, patches; what is left is sound."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from reconciler.definitions.core.paths import meant
from reconciler.definitions.core.rule import Rule
from reconciler.definitions.model import Definitions, Document, KindName
from reconciler.kernel.problem import Problem
from reconciler.kernel.value import JsonObject

ONE_PROJECT = Rule(
    "R050",
    "there is exactly one Project",
    "error",
    "The Project says how careful this repository is; without it, or with two, nobody can tell.",
    "Keep one document of kind Project; `reconciler init` writes one.",
)
UNIQUE_NAMES = Rule(
    "R051",
    "a name stands once within a kind",
    "error",
    "State, plans and references know an object by kind and name.",
    "Rename one of the two; a patch for one environment needs `metadata.environment`.",
)
PATCH_TARGET = Rule(
    "R052",
    "a patch names an object that exists",
    "error",
    "A patch on nothing has no effect, and the setting it was written for stays as it is.",
    "Use the kind and name of the object that it is meant to change.",
)
PATCH_ENVIRONMENT = Rule(
    "R053",
    "a patch names an environment that exists",
    "error",
    "A patch for an unknown environment has no effect.",
    "Use the name of an Environment.",
)
ONE_PATCH = Rule(
    "R054",
    "one patch for an object and environment",
    "error",
    "Of two patches the order of files would decide.",
    "Put both into one document.",
)
PATCH_METADATA = Rule(
    "R055",
    "a patch changes spec only",
    "error",
    "Kind, name and environment say what is patched; they cannot be patched themselves.",
    "Leave only `name` and `environment` in `metadata`, and change `spec`.",
)
SELF_PATCH = Rule(
    "R056",
    "a patch of an Environment is for that environment",
    "error",
    "Nothing ever reads an Environment as another environment sees it.",
    "Change the Environment itself.",
)
ENVIRONMENT = Rule(
    "R057",
    "there is an Environment",
    "warning",
    "Without one nothing can be planned, and names cannot be checked for any organisation.",
    "Add a document of kind Environment.",
)

RULES = (
    ONE_PROJECT,
    UNIQUE_NAMES,
    PATCH_TARGET,
    PATCH_ENVIRONMENT,
    ONE_PATCH,
    PATCH_METADATA,
    SELF_PATCH,
    ENVIRONMENT,
)
DocumentName = tuple[KindName, str]
PLACEHOLDER = "placeholder"
_PATCH_METADATA_KEYS = {"name", "environment"}


@dataclass(frozen=True, slots=True)
class Structure:
    """What the documents add up to.

    Attributes:
        definitions: The documents that can be combined; where a Project or an Environment is
            missing, a placeholder stands in, so that everything else can still be checked.
        environments: Environments that can be viewed.
        known_environments: Those, and the ones whose document is broken.
        integrations: Names of Integrations, broken ones included.
        problems: What is wrong.
    """

    definitions: Definitions
    environments: tuple[str, ...]
    known_environments: frozenset[str]
    integrations: frozenset[str]
    problems: tuple[Problem, ...]

    @property
    def only_placeholder(self) -> bool:
        """Say whether there is no real environment to check names against."""
        return self.environments == (PLACEHOLDER,)


def examine(definitions: Definitions, broken: Collection[DocumentName] = ()) -> Structure:
    """Sort the documents into objects and patches, and report what does not fit.

    Args:
        definitions: All documents that passed the schema.
        broken: Kind and name of those that did not; nothing is said to be missing for them.
    """
    problems: list[Problem] = []
    objects = _objects(definitions, problems)
    known = frozenset({*objects, *broken})
    patches = _patches(definitions, known, problems)
    environments = tuple(sorted(name for kind, name in objects if kind == "Environment"))
    problems += _missing(known, definitions)
    documents = (*objects.values(), *patches, *_placeholders(objects, environments))
    kept = [document for document in documents if _usable(document, objects)]
    return Structure(
        replace(definitions, documents=tuple(kept)),
        environments or (PLACEHOLDER,),
        frozenset(name for kind, name in known if kind == "Environment"),
        frozenset(name for kind, name in known if kind == "Integration"),
        tuple(problems),
    )


def _objects(definitions: Definitions, problems: list[Problem]) -> dict[DocumentName, Document]:
    objects: dict[DocumentName, Document] = {}
    project: Document | None = None
    for definition in definitions.documents:
        first = (
            project
            if definition.kind == "Project"
            else objects.get((definition.kind, definition.name))
        )
        if definition.environment is not None:
            continue
        if first is not None:
            problems.append(_second(definition, first))
            continue
        objects[definition.kind, definition.name] = definition
        project = definition if definition.kind == "Project" else project
    return objects


def _second(document: Document, first: Document) -> Problem:
    origin = document.origin(("metadata", "name"))
    where = first.origin(("metadata", "name"))
    if document.kind == "Project":
        return ONE_PROJECT.broken(
            origin,
            f"this is a second Project, `{document.name}`; the first is `{first.name}` at {where}",
            "Keep one of them.",
            "metadata.name",
        )
    return UNIQUE_NAMES.broken(
        origin,
        f"{document.kind} `{document.name}` is defined twice, first at {where}",
        path="metadata.name",
    )


def _patches(
    definitions: Definitions, known: Collection[DocumentName], problems: list[Problem]
) -> list[Document]:
    patches: dict[tuple[KindName, str, str], Document] = {}
    for definition in definitions.documents:
        if definition.environment is None:
            continue
        found = list(_patch_problems(definition, definition.environment, known))
        first = patches.setdefault(
            (definition.kind, definition.name, definition.environment), definition
        )
        if first is not definition:
            where = first.origin(("metadata",))
            found.append(
                ONE_PATCH.broken(
                    definition.origin(("metadata", "environment")),
                    f"this is a second patch of {definition.kind} `{definition.name}` for "
                    "environment"
                    f" `{definition.environment}`, the first is at {where}",
                    path="metadata.environment",
                )
            )
        problems += found
    return list(patches.values())


def _patch_problems(
    document: Document, environment: str, known: Collection[DocumentName]
) -> Iterator[Problem]:
    if (document.kind, document.name) not in known:
        names = [name for kind, name in known if kind == document.kind]
        yield PATCH_TARGET.broken(
            document.origin(("metadata", "name")),
            f"this patches {document.kind} `{document.name}`, which does not exist",
            meant(document.name, names),
            "metadata.name",
        )
    environments = [name for kind, name in known if kind == "Environment"]
    if environment not in environments:
        yield PATCH_ENVIRONMENT.broken(
            document.origin(("metadata", "environment")),
            f"there is no environment `{environment}`",
            meant(environment, environments),
            "metadata.environment",
        )
    if document.kind == "Environment" and document.name != environment:
        yield SELF_PATCH.broken(
            document.origin(("metadata", "environment")),
            f"this patches Environment `{document.name}` as `{environment}` sees it, which has no"
            " effect",
            path="metadata.environment",
        )
    for key in _touched_metadata(document.body):
        yield PATCH_METADATA.broken(
            document.origin(("metadata", key)),
            f"a patch cannot set `metadata.{key}`",
            path="metadata",
        )


def _touched_metadata(body: JsonObject) -> list[str]:
    metadata = body.get("metadata")
    assert isinstance(metadata, dict)
    return [key for key in metadata if key not in _PATCH_METADATA_KEYS]


def _missing(known: Collection[DocumentName], definitions: Definitions) -> Iterator[Problem]:
    kinds = {kind for kind, _ in known}
    if "Project" not in kinds:
        message = "there is no Project"
        yield ONE_PROJECT.broken(None, message, "Add a document of kind Project.")
    if "Environment" not in kinds and definitions.documents:
        yield ENVIRONMENT.broken(None, "there is no Environment")


def _usable(document: Document, objects: Collection[DocumentName]) -> bool:
    """Say whether a document is an object, or a patch on one for an environment that exists."""
    if document.environment is None:
        return True
    return (document.kind, document.name) in objects and (
        "Environment",
        document.environment,
    ) in objects


def _placeholders(
    objects: Collection[DocumentName], environments: tuple[str, ...]
) -> Iterator[Document]:
    if not any(kind == "Project" for kind, _ in objects):
        yield _placeholder("Project", {"prune": "never", "adoption": "explicit"})
    if not environments:
        reference = {"env": "M3TER_NONE"}
        organisation = "00000000-0000-4000-8000-000000000000"
        yield _placeholder(
            "Environment",
            {
                "protected": True,
                "m3ter": {
                    "organizationId": organisation,
                    "accessKey": reference,
                    "apiSecret": reference,
                },
            },
        )


def _placeholder(kind: KindName, spec: JsonObject) -> Document:
    body: JsonObject = {
        "apiVersion": "m3ter-reconciler/v1",
        "kind": kind,
        "metadata": {"name": PLACEHOLDER},
        "spec": spec,
    }
    return Document(kind, PLACEHOLDER, None, "integrations.d", 0, body, {})
