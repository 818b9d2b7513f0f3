"""Commands about the files: init, validate, render, schema. None of them uses the network."""

from __future__ import annotations

import click

from reconciler.cli import options
from reconciler.cli.options import App, Output
from reconciler.errors import ExitCode


@click.command()
@options.repository
@options.formats("text", "json", "sarif", "github", "junit")
@options.pass_app
def validate(app: App, formats: tuple[Output, ...]) -> ExitCode:
    """Check every file of integrations.d and report all problems in one go.

    Needs no environment and no network. Exit 10 if there is an error; warnings are exit 0.
    docs/rules.md explains every rule.
    """
    from reconciler.definitions import validate as workflow
    from reconciler.definitions.show import problems as render_problems
    from reconciler.wiring.repository import knows_time_zone, open_repository

    source = open_repository(app.root)
    validated = workflow.validate(source, app.settings.allowance, knows_time_zone)
    problems, files = validated.problems, validated.file_count
    app.publish(
        formats,
        {
            "text": lambda: render_problems.problems_text(problems, files, source.excerpts),
            "json": lambda: render_problems.problems_json(problems),
            "sarif": lambda: render_problems.sarif(problems),
            "github": lambda: render_problems.github(problems, files),
            "junit": lambda: render_problems.junit(problems),
        },
    )
    return ExitCode.DONE if validated.valid else ExitCode.INVALID


@click.command()
@options.repository
@options.environment
@click.option("--origin", is_flag=True, help="Say for each value which file and line set it.")
@options.formats("yaml", "json")
@options.pass_app
def render(app: App, environment: str, origin: bool, formats: tuple[Output, ...]) -> None:
    """Print the definitions as they hold in one environment, patches applied.

    Secrets are shown as the references that stand in the files.
    """
    from reconciler.definitions import validate as workflow
    from reconciler.definitions.show import as_yaml as render_definitions
    from reconciler.wiring.repository import knows_time_zone, open_repository

    source = open_repository(app.root)
    view = workflow.effective(source, environment, app.settings.allowance, knows_time_zone)
    app.publish(
        formats,
        {
            "yaml": lambda: render_definitions.definitions_yaml(view, origins=origin),
            "json": lambda: render_definitions.definitions_json(view, origins=origin),
        },
    )


@click.command()
@options.repository
@click.argument("kind", required=False)
@click.option("--patch", is_flag=True, help="Print the schema of patches for one environment.")
@options.pass_app
def schema(app: App, kind: str | None, patch: bool) -> None:
    """Write schemas/*.schema.json, or print the schema of one KIND.

    They are JSON Schema (draft 2020-12), for editors and for reviews.
    """
    from reconciler.wiring.repository import save_schemas, schema_text

    if kind is not None:
        app.show(schema_text(kind, patch=patch))
        return
    changed = save_schemas(app.root)
    for file in changed:
        app.show(f"wrote {file}")
    if not changed:
        app.show(f"{app.root / 'schemas'} is up to date")


@click.command()
@options.repository
@click.option(
    "--forge",
    type=click.Choice(["github", "none"]),
    default="none",
    show_default=True,
    help="Write the workflows, code owners and SETUP.md of a forge, too.",
)
@options.pass_app
def init(app: App, forge: str) -> None:
    """Write a starter integrations.d with a Project and an Environment.

    Existing files are never overwritten.
    """
    from reconciler.wiring.repository import save_schemas, start_repository
    from reconciler.wiring.scaffold import scaffold

    files = start_repository(app.root)
    if forge == "github":
        files = (*files, *scaffold(app.root), *save_schemas(app.root))
    for file in files:
        app.show(f"wrote {file}")
    if forge == "github":
        app.note("Next: work through SETUP.md.")
        return
    app.note(
        "Next: put your organisation's id into the environment, set M3TER_API_KEY and\n"
        "M3TER_API_SECRET, and run `reconciler validate`, then `reconciler import --env sandbox`."
    )
