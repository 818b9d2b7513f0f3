"""A record as a tree of files."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from fakes.plans import binding, record
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kernel.address import Address, LiveId
from reconciler.plan.model.applied import AppliedRecord
from reconciler.plan.model.identity import record_id
from reconciler.state.branch.record_json import NotARecordError
from reconciler.state.branch.record_tree import files_of, record_bytes
from reconciler.state.documents import decode_record, encode_record

NAMES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?", fullmatch=True)
KEYS = st.text(min_size=1, max_size=8)
VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.decimals(allow_nan=False, allow_infinity=False, places=3)
)
DOCUMENTS = st.dictionaries(st.text(max_size=5), VALUES, max_size=3)
ROWS = st.lists(
    st.builds(
        lambda by, key, value: {"m3ter": {by: key}, "externalId": value},
        st.sampled_from(["code", "id"]),
        KEYS,
        st.text(max_size=4),
    ),
    max_size=6,
)
SETS = st.builds(lambda body, rows: {**body, "rows": rows}, DOCUMENTS, ROWS)
DEFINITIONS = st.fixed_dictionaries(
    {},
    optional={
        "Integration": st.dictionaries(NAMES, DOCUMENTS, max_size=2),
        "MappingSet": st.dictionaries(NAMES, SETS, max_size=2),
        "Dialect": st.dictionaries(NAMES, DOCUMENTS, max_size=1),
    },
)
BINDINGS = st.lists(
    st.builds(Address, st.just("mapping"), NAMES, KEYS)
    | st.builds(Address, st.just("integration"), NAMES),
    unique=True,
    max_size=8,
)


def named(**changes: Any) -> AppliedRecord:
    made = replace(record(1), **changes)
    return replace(made, id=record_id(made))


@given(DEFINITIONS, BINDINGS)
def test_a_record_reads_back_with_the_bytes_it_has_in_a_folder(
    definitions: dict[str, Any], addresses: list[Address]
) -> None:
    bound = tuple(replace(binding(), address=address, id=LiveId("m")) for address in addresses)
    made = named(definitions=definitions, bindings=bound)
    files = files_of(made)
    assert record_bytes(files) == encode_record(made)
    assert decode_record(record_bytes(files), "here").id == made.id


def test_a_row_stands_in_the_file_of_its_key() -> None:
    rows = [{"m3ter": {"code": "acme-uk"}, "externalId": "sub_1"}]
    bound = (binding(), replace(binding(), address=Address("mapping", "accounts", "acme-uk")))
    made = named(definitions={"MappingSet": {"accounts": {"rows": rows}}}, bindings=bound)
    shard = hashlib.sha256(b"acme-uk").hexdigest()[:2]
    files = files_of(made)
    assert sorted(files) == [
        "README.md",
        "bindings/integration/chargebee-uk.json",
        f"bindings/mapping/accounts/{shard}.jsonl",
        "definitions/MappingSet/accounts.json",
        f"definitions/MappingSet/accounts/{shard}.jsonl",
        "record.json",
    ]
    line = files[f"definitions/MappingSet/accounts/{shard}.jsonl"]
    assert line == b'{"externalId":"sub_1","m3ter":{"code":"acme-uk"}}\n'


SHARD = "definitions/MappingSet/accounts/"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda files: files.pop("record.json"), "record.json"),
        (lambda files: files.update({"more.txt": b"x"}), "more.txt"),
        (lambda files: files.update({"README.md": b"hello\n"}), "README.md"),
        (lambda files: files.update({f"{SHARD}00.jsonl": b'{"m3ter":{"code":"a"}}\n'}), "another"),
        (lambda files: files.update({f"{SHARD}ca.jsonl": b"{}"}), "ca.jsonl"),
        (lambda files: files.update({"definitions/Integration/uk.json": b"{}"}), "uk.json"),
        (lambda files: files.update({"definitions/Integration/uk.json": b"{"}), "uk.json"),
    ],
)
def test_a_tree_that_was_changed_is_no_record(spoil: Any, reason: str) -> None:
    rows = [{"m3ter": {"code": "a"}, "externalId": "1"}]
    definitions = {"Integration": {"uk": {"a": 1}}, "MappingSet": {"accounts": {"rows": rows}}}
    files = files_of(named(definitions=definitions))
    spoil(files)
    with pytest.raises(NotARecordError, match=reason):
        record_bytes(files)
