"""Cut GitHub's API description down to the operations that we use.

Usage: npm pack @octokit/openapi && tar xzf octokit-openapi-*.tgz && python cut.py package/generated
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from reconciler.kernel import exact_json

OPERATIONS = {
    "/repos/{owner}/{repo}/pulls/{pull_number}": ("get",),
    "/repos/{owner}/{repo}/pulls/{pull_number}/commits": ("get",),
    "/repos/{owner}/{repo}/compare/{basehead}": ("get",),
    "/repos/{owner}/{repo}/commits/{commit_sha}/pulls": ("get",),
    "/repos/{owner}/{repo}/commits/{ref}/statuses": ("get",),
    "/repos/{owner}/{repo}/statuses/{sha}": ("post",),
    "/repos/{owner}/{repo}/git/commits/{commit_sha}": ("get",),
    "/repos/{owner}/{repo}/branches/{branch}": ("get",),
    "/repos/{owner}/{repo}/rules/branches/{branch}": ("get",),
    "/repos/{owner}/{repo}/collaborators/{username}/permission": ("get",),
    "/repos/{owner}/{repo}/issues": ("get", "post"),
    "/repos/{owner}/{repo}/issues/{issue_number}": ("patch",),
    "/repos/{owner}/{repo}/issues/{issue_number}/comments": ("get", "post"),
    "/repos/{owner}/{repo}/issues/comments/{comment_id}": ("patch",),
    "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches": ("post",),
    "/orgs/{org}/teams/{team_slug}": ("get",),
    "/orgs/{org}/teams/{team_slug}/memberships/{username}": ("get",),
}
FILES = {"api.github.com.json": "github.json", "ghes-3.17.json": "ghes.json"}
WORDS = {"description", "summary", "example", "examples", "externalDocs", "title", "x-github",
         "x-multi-segment", "x-githubEnterpriseOverlay", "tags", "operationId", "deprecated",
         "x-github-breaking-changes"}  # fmt: skip
DEPTH_MAX = 3
"""Objects inside objects below this are not looked into: a pull request holds four repositories."""


def main(folder: Path) -> None:
    """Write the cuts beside this file."""
    for source, target in FILES.items():
        api: Any = exact_json.decode((folder / source).read_bytes())
        paths = {
            path: {method: operation(api, api["paths"][path][method]) for method in methods}
            for path, methods in OPERATIONS.items()
            if path in api["paths"]
        }
        text = exact_json.encode({"version": api["info"]["version"], "paths": paths})
        (Path(__file__).parent / target).write_text(text + "\n", encoding="utf-8")


def operation(api: Any, found: Any) -> Any:
    """Keep parameters, the body and the answers of one operation, references resolved."""
    parameters = [resolved(api, parameter, 0) for parameter in found.get("parameters", [])]
    body = found.get("requestBody", {}).get("content", {}).get("application/json", {})
    return {
        "query": {
            parameter["name"]: parameter["schema"]
            for parameter in parameters
            if parameter.get("in") == "query"
        },
        "body": resolved(api, body.get("schema", True), 0),
        "answers": {
            status: resolved(api, answer["content"]["application/json"]["schema"], 0)
            if "application/json" in (answer := deref(api, response)).get("content", {})
            else True
            for status, response in found["responses"].items()
            if status.startswith("2")
        },
    }


def deref(api: Any, value: Any) -> Any:
    """Follow one reference."""
    while isinstance(value, dict) and "$ref" in value:
        place: Any = api
        for part in value["$ref"].removeprefix("#/").split("/"):
            place = place[part]
        value = place
    return value


def resolved(api: Any, value: Any, depth: int) -> Any:
    """Inline references, leave words out, and stop looking into what lies deep."""
    value = deref(api, value)
    if isinstance(value, list):
        return [resolved(api, element, depth) for element in value]
    if not isinstance(value, dict):
        return value
    if depth > DEPTH_MAX:
        return {key: value[key] for key in ("type", "nullable") if key in value} or True
    kept: dict[str, Any] = {}
    for key, member in value.items():
        if key == "properties":
            kept[key] = {
                name: resolved(api, below, depth + 1)
                for name, below in member.items()
                if name in value.get("required", ()) or name in USED
            }
        elif key not in WORDS or not isinstance(member, str | bool | list | dict) or key == "enum":
            kept[key] = resolved(api, member, depth)
    return nullable(kept) if kept.pop("nullable", False) else kept


def nullable(schema: Any) -> Any:
    """Say in JSON Schema what OpenAPI 3.0 says by a word of its own."""
    return {"anyOf": [schema, {"type": "null"}]}


USED = {"merged_at", "pull_request", "commits", "description", "target_url", "context", "state",
        "parameters", "dismiss_stale_reviews_on_push", "permission", "creator", "user", "body",
        "title", "labels", "ref", "inputs", "head", "base", "sha", "repo", "full_name", "message"}  # fmt: skip

if __name__ == "__main__":
    main(Path(sys.argv[1]))
