"""A record as it was written is checked by its bytes; any other by its content."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.plans import binding, plan, record

from reconciler.kernel import exact_json
from reconciler.kernel.exact_json import as_json
from reconciler.plan.model.applied import AppliedRecord
from reconciler.plan.model.identity import record_id
from reconciler.state.documents import (
    TamperedDocumentError,
    UnreadableDocumentError,
    decode_plan,
    decode_record,
    encode_plan,
    encode_record,
)


def named() -> AppliedRecord:
    made = record(1, None, *(replace(binding(), version=number) for number in range(1_200)))
    return replace(made, id=record_id(made))


def test_a_record_is_read_as_it_was_written_however_many_bindings() -> None:
    made = named()
    assert decode_record(encode_record(made), "it") == made


def test_a_record_that_was_laid_out_anew_is_sound_all_the_same() -> None:
    made = named()
    anew = exact_json.encode(as_json(made), indent=2).encode()
    assert decode_record(anew, "it") == made


@pytest.mark.parametrize("where", ["as written", "laid out anew"])
def test_a_record_that_was_changed_is_refused(where: str) -> None:
    data = encode_record(named())
    if where == "laid out anew":
        data = exact_json.encode(exact_json.decode(data), indent=1).encode()
    with pytest.raises(TamperedDocumentError, match="was changed after it was written"):
        decode_record(data.replace(b"j.doe", b"k.doe", 1), "it")


def test_what_has_no_json_form_is_not_named() -> None:
    with pytest.raises(exact_json.NotExactError):
        as_json({"a": object()})


def test_broken_bindings_and_plans_with_bindings_are_refused_in_words() -> None:
    data = encode_record(named()).replace(b'"bindings":[{', b'"bindings":[7,{', 1)
    with pytest.raises(UnreadableDocumentError):
        decode_record(data, "it")
    odd = encode_plan(plan()).replace(b"{", b'{"bindings": [],', 1)
    assert decode_plan(odd, "it") == plan()
