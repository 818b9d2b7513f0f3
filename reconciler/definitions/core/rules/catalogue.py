"""Every rule by its number: what ``docs/rules.md`` is made from."""

from __future__ import annotations

from reconciler.definitions.core.form_rules import FORM_RULES
from reconciler.definitions.core.rule import Rule
from reconciler.definitions.core.rules import (
    account_filters,
    chargebee_pages,
    delivery,
    dialects,
    environments,
    integrations,
    literals,
    mapping_sets,
    references,
    structure,
)

RULES: dict[str, Rule] = {
    rule.id: rule
    for rule in sorted(
        (
            *FORM_RULES,
            *structure.RULES,
            *references.RULES,
            *mapping_sets.ROW_RULES,
            *mapping_sets.CSV_RULES,
            *chargebee_pages.RULES,
            *integrations.RULES,
            *delivery.RULES,
            *account_filters.RULES,
            *environments.RULES,
            *dialects.RULES,
            *references.FIELD_RULES,
            *literals.RULES,
        ),
        key=lambda rule: rule.id,
    )
}
"""All rules, by id, in order."""

_HEAD = """# Rules

What `reconciler validate` checks. R001 to R049 are about the form of files, R050 and up about their
meaning. An error ends every command with exit 10; a warning does not. This page is made from the
rules themselves; a test keeps it so.
"""


def rules_page() -> str:
    """Write ``docs/rules.md``."""
    return "\n".join([_HEAD, *(_section(rule) for rule in RULES.values())])


def _section(rule: Rule) -> str:
    kind = "" if rule.severity == "error" else " (warning)"
    return f"## {rule.id}: {rule.title}{kind}\n\n{rule.why}\n\n*What to do:* {rule.fix}\n"
