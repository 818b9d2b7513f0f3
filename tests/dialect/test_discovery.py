"""A dialect from published options of any shape."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.scene import KEYS, VALUES, dialect_spec
from hypothesis import given
from hypothesis import strategies as st

from reconciler.definitions.core.settings import SETTINGS
from reconciler.definitions.kinds.dialect import DialectSpec
from reconciler.dialect.core.discovery import Proposal, propose
from reconciler.dialect.core.published import Choice, read_available

HEAD: dict[str, Any] = {
    "environment": "sandbox",
    "destination": "Chargebee",
    "entityType": "Bill",
    "evidence": {"source": "discover", "at": "2026-11-22T10:00:00Z"},
}


def published(*options: Any, entity: Any = (), shared: Any = ()) -> dict[str, Any]:
    """A document in the published frame, with Chargebee's own options."""
    place = {
        "destination": "Chargebee",
        "apiName": "CHARGEBEE",
        "destinationConfigOptions": options,
    }
    return {
        "supportedEntities": {
            "Bill": {"entityConfigurationOptions": entity, "destinations": [{}, place]}
        },
        "globalConfigurationOptions": shared,
    }


def proposal(document: dict[str, Any], current: DialectSpec | None = None) -> Proposal:
    return propose(read_available(document, "Chargebee", "Bill"), SETTINGS, HEAD, current)


def keys(found: Proposal) -> dict[str, Any]:
    assert found.spec is not None
    DialectSpec.model_validate(found.spec, strict=False)
    held = found.spec["keys"]
    assert isinstance(held, dict)
    return held


def kinds(found: Proposal) -> list[tuple[str, str]]:
    return [(finding.kind, finding.path) for finding in found.findings if finding.kind != "missing"]


def full(name: str, label: str, choices: str) -> dict[str, Any]:
    def option(setting: Any) -> dict[str, Any]:
        words = VALUES.get(setting.path, {})
        listed = [
            {"id": word, "label": word.replace("_", " ").capitalize()} for word in words.values()
        ]
        shown = {name: KEYS[setting.path], label: setting.label, "type": "ANY"}
        return shown | ({choices: listed} if listed else {})

    by_panel: dict[str, list[Any]] = {"global": [], "entity": [], "chargebee": []}
    for setting in SETTINGS:
        by_panel[setting.panel].append(option(setting))
    return published(*by_panel["chargebee"], entity=by_panel["entity"], shared=by_panel["global"])


@pytest.mark.parametrize(
    "shape",
    [("key", "label", "options"), ("name", "displayName", "values"), ("code", "title", "enum")],
)
def test_the_whole_page_is_recognised_in_several_shapes(shape: tuple[str, str, str]) -> None:
    found = proposal(full(*shape))
    assert keys(found) == KEYS
    assert found.spec is not None
    assert found.spec["values"] == VALUES
    assert found.findings == ()


def test_keys_alone_and_options_by_key_are_enough() -> None:
    document = published(
        {"id": "2b6e8f7a-0000-4000-8000-000000000000", "name": "CHARGEBEE_CREATE_INVOICE"},
        shared={"ACCOUNT_IDS": {"type": "LIST"}, "RESTRICTED_ACCOUNT_IDS": None},
    )
    assert keys(proposal(document)) == {
        "chargebee.createInvoice": "CHARGEBEE_CREATE_INVOICE",
        "global.accountIds": "ACCOUNT_IDS",
        "global.restrictedAccountIds": "RESTRICTED_ACCOUNT_IDS",
    }


def test_a_label_finds_a_key_that_says_nothing() -> None:
    document = published({"key": "cb17", "label": "Chargebee default price id"})
    assert keys(proposal(document)) == {"chargebee.defaultPriceId": "cb17"}


def test_two_options_for_one_setting_are_left_to_a_person() -> None:
    document = published({"key": "createInvoice"}, {"key": "CHARGEBEE_CREATE_INVOICE"})
    found = proposal(document)
    assert "chargebee.createInvoice" not in keys(found)
    assert ("ambiguous", "chargebee.createInvoice") in kinds(found)


def test_one_option_for_two_settings_is_left_to_a_person() -> None:
    document = published({"key": "createInvoice", "label": "Chargebee use multidecimal"})
    found = proposal(document)
    assert keys(found) == {}
    assert kinds(found) == [
        ("ambiguous", "chargebee.createInvoice"),
        ("ambiguous", "chargebee.useMultidecimal"),
    ]


def test_the_same_option_in_two_panels_is_one_option() -> None:
    option = {"key": "accountIds", "label": "Account ids"}
    assert keys(proposal(published(option, shared=[option]))) == {"global.accountIds": "accountIds"}


def test_values_that_do_not_fit_are_reported() -> None:
    document = published({"key": "splitUsageLineItems", "options": ["ITEM_PER_PRODUCT", "X", 4]})
    found = proposal(document)
    assert found.spec is not None
    assert found.spec["values"] == {
        "chargebee.splitUsageLineItems": {"itemPerProduct": "ITEM_PER_PRODUCT"}
    }
    (finding,) = [entry for entry in found.findings if entry.kind == "unknown-value"]
    assert finding.message == (
        "no published value of `splitUsageLineItems` is `itemPerUsageBand` "
        "(published: `ITEM_PER_PRODUCT`, `X`)"
    )
    bare = proposal(published({"key": "sortLineItemsBy"}))
    assert "values" not in (bare.spec or {})
    assert any("(published: none)" in entry.message for entry in bare.findings)


def test_choices_may_be_a_map() -> None:
    document = published(
        {"key": "sortLineItemsBy", "options": {"N": "None", "S": "Subtotal", "A": 1}}
    )
    read = read_available(document, "Chargebee", "Bill")
    assert read.options[0].choices == (
        Choice("N", "None"),
        Choice("S", "Subtotal"),
        Choice("A", ""),
    )
    found = proposal(document)
    assert found.spec is not None
    assert found.spec["values"] == {"chargebee.sortLineItemsBy": {"none": "N", "subtotal": "S"}}


def test_what_is_not_modelled_or_not_readable_is_listed() -> None:
    found = proposal(
        published({"key": "newThing", "label": "New thing"}, {"key": "plain"}, {"x": 1})
    )
    assert kinds(found) == [("unknown-key", ""), ("unknown-key", ""), ("unreadable", "")]
    assert "`newThing` (New thing)" in [finding.message for finding in found.findings][-3]
    missing = [finding for finding in found.findings if finding.kind == "missing"]
    assert len(missing) == len(SETTINGS)
    assert "`chargebeeCreateInvoice` and `CHARGEBEE_CREATE_INVOICE`" in " ".join(
        position.message for position in missing
    )


def test_a_dialect_that_says_otherwise_is_compared() -> None:
    current = DialectSpec.model_validate(
        dialect_spec(
            {
                "chargebee.createInvoice": "createInvoice",
                "chargebee.useMultidecimal": "multi",
                "chargebee.defaultPriceId": "CHARGEBEE_CREATE_INVOICE",
                "nobody.knows": "x",
            }
        ),
        strict=False,
    )
    found = proposal(published({"key": "CHARGEBEE_CREATE_INVOICE"}), current)
    assert keys(found) == {
        "chargebee.createInvoice": "CHARGEBEE_CREATE_INVOICE",
        "chargebee.useMultidecimal": "multi",
    }
    assert kinds(found) == [
        ("changed", "chargebee.createInvoice"),
        ("kept", "chargebee.useMultidecimal"),
    ]
    evidence = {"evidence": {"source": "import", "at": "2026-11-22T10:00:00Z"}}
    imported = DialectSpec.model_validate(dialect_spec() | evidence, strict=False)
    assert len(keys(proposal(published({"key": "createInvoice"}), imported))) == 1
    same = proposal(published({"key": "chargebeeCreateInvoice"}), imported)
    assert kinds(same) == []


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"supportedEntities": {"Account": {}}},
        {"supportedEntities": {"Bill": {"destinations": "none"}}},
        {"supportedEntities": {"Bill": {"destinations": [{"apiName": "CHARGEBEE"}]}}},
    ],
)
def test_an_organisation_that_publishes_nothing_gives_no_dialect(document: Any) -> None:
    found = proposal(document)
    assert found.spec is None
    assert [finding.kind for finding in found.findings] == ["missing"]


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("abkey", max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "supportedEntities",
                    "Bill",
                    "destinations",
                    "destination",
                    "key",
                    "options",
                    "label",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["supportedEntities", "globalConfigurationOptions"]), json))
def test_no_document_makes_it_fail(document: dict[str, Any]) -> None:
    found = proposal(document)
    if found.spec is not None:
        keys(found)
