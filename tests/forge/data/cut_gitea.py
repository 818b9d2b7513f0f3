"""Cut Gitea's API description down to the operations that we use.

Usage: go mod download -json code.gitea.io/gitea@VERSION, then PYTHONPATH=.:tests python cut_gitea.py DIR VERSION
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from forge.data.cut import DEPTH_MAX, WORDS

from reconciler.kernel import exact_json

OPERATIONS = {
    "/user": ("get",),
    "/repos/{owner}/{repo}/pulls/{index}": ("get",),
    "/repos/{owner}/{repo}/pulls/{index}/commits": ("get",),
    "/repos/{owner}/{repo}/pulls/{index}/reviews": ("get",),
    "/repos/{owner}/{repo}/issues/{index}/timeline": ("get",),
    "/repos/{owner}/{repo}/compare/{basehead}": ("get",),
    "/repos/{owner}/{repo}/commits/{sha}/pull": ("get",),
    "/repos/{owner}/{repo}/commits/{ref}/statuses": ("get",),
    "/repos/{owner}/{repo}/statuses/{sha}": ("post",),
    "/repos/{owner}/{repo}/git/commits/{sha}": ("get",),
    "/repos/{owner}/{repo}/branches/{branch}": ("get",),
    "/repos/{owner}/{repo}/branch_protections": ("get",),
    "/repos/{owner}/{repo}/collaborators/{collaborator}/permission": ("get",),
    "/repos/{owner}/{repo}/issues": ("get", "post"),
    "/repos/{owner}/{repo}/issues/{index}": ("patch",),
    "/repos/{owner}/{repo}/issues/{index}/comments": ("get", "post"),
    "/repos/{owner}/{repo}/issues/comments/{id}": ("patch",),
    "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches": ("post",),
    "/orgs/{org}/teams": ("get",),
    "/teams/{id}/members/{username}": ("get",),
}


def main(folder: Path, version: str) -> None:
    """Write the cut beside this file."""
    text = (folder / "templates/swagger/v1_json.tmpl").read_text(encoding="utf-8")
    api: Any = exact_json.decode(re.sub(r"\{\{.*?\}\}", "x", text))
    paths = {
        f"/api/v1{path}": {method: operation(api, api["paths"][path][method]) for method in methods}
        for path, methods in OPERATIONS.items()
    }
    cut = exact_json.encode({"version": version, "paths": paths})
    (Path(__file__).parent / "gitea.json").write_text(cut + "\n", encoding="utf-8")


def operation(api: Any, found: Any) -> Any:
    """Keep parameters, the body and the answers of one operation, references resolved."""
    parameters = found.get("parameters", [])
    body = next(
        (parameter["schema"] for parameter in parameters if parameter["in"] == "body"), True
    )
    answers = {}
    for status, response in found["responses"].items():
        answer = (
            api["responses"][response["$ref"].rsplit("/", 1)[-1]]
            if "$ref" in response
            else response
        )
        if status.startswith("2"):
            answers[status] = resolved(api, answer.get("schema", True), 0)
    return {
        "query": {
            parameter["name"]: {"type": parameter["type"]}
            for parameter in parameters
            if parameter["in"] == "query"
        },
        "body": resolved(api, body, 0),
        "answers": answers,
    }


def resolved(api: Any, value: Any, depth: int) -> Any:
    """Inline references, leave words out, and stop looking into what lies deep."""
    if isinstance(value, list):
        return [resolved(api, element, depth) for element in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return resolved(api, api["definitions"][value["$ref"].rsplit("/", 1)[-1]], depth)
    if depth > DEPTH_MAX:
        return {"type": value["type"]} if "type" in value else True
    return {
        key: {name: resolved(api, below, depth + 1) for name, below in member.items()}
        if key == "properties"
        else resolved(api, member, depth)
        for key, member in value.items()
        if key not in WORDS and not key.startswith("x-")
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
