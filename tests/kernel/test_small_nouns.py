"""Addresses, problems, secrets, absent values, origins, steps: each says exactly what it is."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.definitions.model import Defined, Document, DocumentPath, M3terKey, nearest
from reconciler.drafting.draft import LineSource
from reconciler.errors import PRECEDENCE, ExitCode, ReconcilerError, winning
from reconciler.kernel.address import Address, BillId
from reconciler.kernel.problem import Origin, Position, Problem
from reconciler.kernel.secret import Secret, SecretReference
from reconciler.kernel.value import ABSENT
from reconciler.m3ter.bill import LineId
from reconciler.sync.model.push import PushKey, SiteName, StepKind, StepName


def test_an_address_is_written_as_people_type_it() -> None:
    assert str(Address("integration", "uk")) == "integration/uk"
    assert str(Address("mapping", "prices", "api-calls")) == "mapping/prices/api-calls"
    assert min([Address("mapping", "a"), Address("integration", "b")]).name == "b"


def test_an_origin_is_as_precise_as_it_can_be() -> None:
    assert str(Origin("a.yaml")) == "a.yaml"
    assert str(Origin("a.yaml", 3)) == "a.yaml:3"
    assert str(Origin("a.yaml", 3, 7)) == "a.yaml:3:7"
    assert Position(1, 2) < Position(2, 1)
    assert Problem("R001", "error", None, "wrong").hint == ""


def test_a_secret_is_never_shown() -> None:
    secret = Secret("hunter2")
    for text in (repr(secret), str(secret), f"{secret}", f"{secret:>40}", f"{[secret]}"):
        assert "hunter2" not in text
        assert "Secret(…)" in text
    assert secret.reveal() == "hunter2"


def test_secrets_compare_by_value_and_cannot_be_stored() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    for store in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="cannot be stored"):
            store(Secret("a"))


def test_a_reference_is_shown_as_it_is_written() -> None:
    assert str(SecretReference("env", "M3TER_API_KEY")) == "{env: M3TER_API_KEY}"


def test_what_is_absent_says_so() -> None:
    assert repr(ABSENT) == "ABSENT"


def test_the_nearest_place_is_that_of_the_path_or_of_its_ancestor() -> None:
    origins: dict[DocumentPath, Origin] = {
        (): Origin("a.yaml", 1),
        ("spec",): Origin("a.yaml", 5),
        ("spec", "push", 0): Origin("a.yaml", 9),
    }
    assert nearest(origins, ("spec", "push", 0), Origin("x")).line == 9
    assert nearest(origins, ("spec", "push", 1), Origin("x")).line == 5
    assert nearest(origins, ("metadata",), Origin("x")).line == 1
    assert nearest({}, ("metadata",), Origin("x")) == Origin("x")


def test_documents_and_objects_know_their_places() -> None:
    origins: dict[DocumentPath, Origin] = {("spec", "enabled"): Origin("a.yaml", 4)}
    document = Document("Integration", "uk", None, "a.yaml", 0, {}, origins)
    assert document.origin(("spec", "enabled")).line == 4
    assert document.origin(("kind",)) == Origin("a.yaml")
    defined = Defined("uk", None, Origin("a.yaml", 1), {("enabled",): Origin("a.yaml", 4)})
    assert defined.at("enabled").line == 4
    assert defined.at("entity", "accountFilter").line == 1
    assert str(M3terKey("code", "acme")) == "acme"


def test_a_part_of_a_bill_is_named_for_people() -> None:
    whole = LineSource(3, LineId("l"), "USAGE", "API", None, "", None, "")
    assert str(whole) == "line 3 (USAGE)"
    banded = LineSource(3, LineId("l"), "USAGE", "API", 2, "pb", None, "")
    assert str(banded) == "line 3 (USAGE, band 2)"


@given(st.sampled_from(StepKind), st.integers(0, 10**6))
def test_a_step_is_read_back_as_it_was_written(kind: StepKind, number: int) -> None:
    step = StepName(kind, number)
    assert StepName.parse(str(step)) == step


def test_an_effect_is_named_by_site_bill_generation_and_step() -> None:
    key = PushKey(SiteName("acme"), BillId("b1"), 2, StepName(StepKind.ADD_LINE, 7))
    assert str(key) == "acme/b1/2/add-line/7"


def test_every_exit_code_but_done_has_its_place_in_the_order() -> None:
    assert sorted(PRECEDENCE) == sorted(set(ExitCode) - {ExitCode.DONE})


@pytest.mark.parametrize(
    ("codes", "wanted"),
    [
        ([], ExitCode.DONE),
        ([ExitCode.DONE], ExitCode.DONE),
        ([ExitCode.INVALID, ExitCode.REFUSED_IDENTITY], ExitCode.REFUSED_IDENTITY),
        ([ExitCode.STALE, ExitCode.LOCKED], ExitCode.LOCKED),
        ([ExitCode.NEEDS_APPROVAL, ExitCode.STALE], ExitCode.STALE),
        (
            [ExitCode.OUTSIDE_TOLERANCE, ExitCode.PARTLY_DONE, ExitCode.UNKNOWN_OUTCOME],
            ExitCode.UNKNOWN_OUTCOME,
        ),
        ([ExitCode.OUTSIDE_TOLERANCE, ExitCode.PARTLY_DONE], ExitCode.PARTLY_DONE),
    ],
)
def test_one_exit_code_wins(codes: list[ExitCode], wanted: ExitCode) -> None:
    assert winning(codes) is wanted


def test_an_error_nobody_handles_is_unexpected() -> None:
    assert ReconcilerError("x").exit_code is ExitCode.UNEXPECTED
