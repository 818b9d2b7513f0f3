"""The runbook has a page for everything that stops, and every page says what a reader needs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconciler.drafting.draft import BlockCode
from reconciler.errors import ExitCode
from reconciler.kernel.runbook import RUNBOOK, Page, page
from reconciler.sync.model.push import PushStatus
from reconciler.sync.model.statuses import bill_page

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / RUNBOOK).read_text(encoding="utf-8")
ANCHORS = re.findall(r'<a id="([a-z0-9-]+)"></a>', TEXT)
PARTS = ("**You see**", "**It means**", "**Done**", "**What to do**", "**Who decides**")
GUIDES = {Page.MONTH_END, Page.FIRST_SETUP, Page.CUTOVER}


def section(anchor: str) -> str:
    return TEXT.split(f'<a id="{anchor}"></a>')[1].split("<a id=")[0]


@pytest.mark.parametrize("of", [*Page, *PushStatus, *BlockCode, *ExitCode], ids=str)
def test_everything_that_stops_has_a_page(of: Page | PushStatus | BlockCode | ExitCode) -> None:
    address = page(of) if isinstance(of, Page | ExitCode) else bill_page(of)
    if of is PushStatus.COMPLETE:
        assert address == RUNBOOK
        return
    assert address.removeprefix(f"{RUNBOOK}#") in ANCHORS or address.endswith("complete"), (
        f"{address} does not exist"
    )


@pytest.mark.parametrize("anchor", sorted(set(ANCHORS) - {guide.value for guide in GUIDES}))
def test_every_page_says_what_a_reader_needs(anchor: str) -> None:
    text = section(anchor)
    assert [part for part in PARTS if part not in text] == []


def test_anchors_are_unique_and_links_inside_lead_somewhere() -> None:
    assert len(ANCHORS) == len(set(ANCHORS))
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in TEXT.splitlines()
        if line.startswith("#")
    }
    linked = set(re.findall(r"\]\(#([a-z0-9-]+)\)", TEXT))
    assert linked - set(ANCHORS) - headings == set()


def test_every_address_in_the_program_exists() -> None:
    named = {
        found
        for file in (ROOT / "reconciler").rglob("*.py")
        for found in re.findall(r"docs/runbook\.md#([a-z0-9-]+)", file.read_text(encoding="utf-8"))
    }
    assert named - set(ANCHORS) == set()


def test_the_map_of_the_documentation_leads_to_files_that_exist() -> None:
    index = ROOT / "docs" / "README.md"
    for link in re.findall(r"\]\(([^)#]+)\)", index.read_text(encoding="utf-8")):
        assert (index.parent / link).exists(), link
