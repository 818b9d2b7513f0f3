"""What `init --forge` writes beside the definitions: workflows, owners, a list of what to click."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import reconciler
from reconciler import __version__

WORKFLOWS: Final = ("plan", "review", "apply", "drift")
_ACTION: Final = ".github/actions/reconciler"
_PRODUCTION: Final = """\
# Protected: what changes here is reviewed, and applied from the main branch alone.
apiVersion: m3ter-reconciler/v1
kind: Environment
metadata: {name: production}
spec:
  protected: true
  m3ter:
    organizationId: 00000000-0000-4000-8000-000000000001    # yours: Console, Settings, Organization
    accessKey: {env: M3TER_API_KEY}
    apiSecret: {env: M3TER_API_SECRET}
"""
_INSTALL: Final = f"""\
    - name: install the tool
      shell: bash
      run: |
        python3 -m venv "$RUNNER_TEMP/reconciler"
        "$RUNNER_TEMP/reconciler/bin/pip" install --quiet --disable-pip-version-check \\
          "m3ter-reconciler=={__version__}"
"""
_INSTALLS: Final = re.compile(r"    - name: install.*?(?=    - name: reconciler)", re.DOTALL)


def scaffold(root: Path) -> tuple[Path, ...]:
    """Write everything for GitHub that is not there yet.

    Returns:
        What was written; a file that exists is left as it is.
    """
    wanted = {
        "integrations.d/environments/production.yaml": _PRODUCTION,
        "SETUP.md": _template("SETUP.md"),
        ".github/CODEOWNERS": _template("CODEOWNERS"),
        ".gitignore": _template("gitignore"),
        ".vscode/settings.json": _template("vscode.json"),
        f"{_ACTION}/action.yml": pinned_action(_shipped("action.yml")),
        **{
            file: _shipped(file).replace("uses: ./\n", f"uses: ./{_ACTION}\n")
            for file in (f".github/workflows/{name}.yml" for name in WORKFLOWS)
        },
    }
    return tuple(root / file for file, text in wanted.items() if _write(root / file, text))


def pinned_action(action: str) -> str:
    """Let the action install this version of the tool instead of its own checkout."""
    return _INSTALLS.sub(lambda _: _INSTALL, action)


def _write(file: Path, text: str) -> bool:
    if file.exists():
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", newline="\n")
    return True


def _template(name: str) -> str:
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")


def _shipped(file: str) -> str:
    """Read a file of this project: inside the wheel, or beside the checkout."""
    package = Path(reconciler.__file__).parent
    inside = package / "scaffold" / file
    return (inside if inside.is_file() else package.parent / file).read_text(encoding="utf-8")
