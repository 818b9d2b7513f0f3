"""The catalogue is complete, and its page is up to date."""

from __future__ import annotations

import re
from pathlib import Path

from reconciler.definitions.core.form_rules import FORM_RULES
from reconciler.definitions.core.rules.catalogue import RULES, rules_page

ROOT = Path(__file__).parents[3]


def test_the_page_of_rules_is_made_from_the_rules() -> None:
    assert (ROOT / "docs" / "rules.md").read_text(encoding="utf-8") == rules_page()


def test_no_number_stands_for_two_rules() -> None:
    source = ROOT / "reconciler" / "definitions" / "core"
    numbers = [
        number
        for file in source.rglob("*.py")
        for number in re.findall(
            r'^    "(R\d{3})",$', file.read_text(encoding="utf-8"), re.MULTILINE
        )
    ]

    assert sorted(numbers) == sorted(RULES)


def test_form_comes_before_meaning() -> None:
    form = {rule.id for rule in FORM_RULES}

    assert all((rule.id < "R050") == (rule.id in form) for rule in RULES.values())


def test_every_rule_says_why_and_what_to_do() -> None:
    for rule in RULES.values():
        assert re.fullmatch(r"R\d{3}", rule.id)
        assert not rule.title.endswith(".")
        assert rule.why.endswith(".")
        assert rule.fix.endswith(".")
