"""What a receipt tells, and the exit code it ends with."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.plans import UK, plan, record
from inline_snapshot import snapshot

from reconciler.errors import ExitCode
from reconciler.kernel.address import LiveId, PlanId
from reconciler.plan.model.applied import (
    Already,
    AppliedRecord,
    Blocked,
    ChangeOutcome,
    Done,
    Failed,
    NotAttempted,
    Outcome,
    OutcomeUnknown,
    Receipt,
)
from reconciler.plan.model.change import ChangeId
from reconciler.plan.model.plan import RecordId
from reconciler.plan.show.receipt import exit_code_of_receipt, receipt_text
from reconciler.plan.show.text import drift_text


def receipt(*outcomes: tuple[str, Outcome], notes: tuple[str, ...] = ()) -> AppliedRecord:
    made = tuple(ChangeOutcome(ChangeId(f"{verb}:{UK}"), UK, entry) for verb, entry in outcomes)
    done = Receipt(PlanId("a" * 64), "2026-12-01T06:00:00Z", "2026-12-01T06:00:09Z", made, notes)
    return replace(record(4, "b" * 64), id=RecordId("c" * 64), receipt=done)


DONE = Done(LiveId("1"), 2)
INTERRUPTED = NotAttempted("the run was interrupted before it")


def test_a_receipt_counts_and_lists_what_is_open() -> None:
    text = receipt_text(
        receipt(
            ("create", DONE),
            ("adopt", Already(LiveId("1"))),
            ("keep", Already(None)),
            ("update", Already(LiveId("1"))),
            ("update", Failed("it is at version 8, not 7\nNothing of it was changed.")),
            ("connect", Blocked(ChangeId("update:x"))),
            ("delete", NotAttempted("m3ter refused the key: no\nmore")),
            ("enable", OutcomeUnknown("no answer came")),
            notes=("2 bills were approved meanwhile",),
        )
    )
    assert text == snapshot("""\
sandbox: 1 done, 1 taken over, 1 already as desired, 1 left alone, 1 failed, 1 blocked, 1 not attempted, 1 unknown of 8 changes (applied record 4).
  failed         update integration/chargebee-uk
                 it is at version 8, not 7
                 Nothing of it was changed.
  blocked        connect integration/chargebee-uk: `update:x` was not done
  not attempted  delete integration/chargebee-uk: m3ter refused the key: no
  unknown        enable integration/chargebee-uk
                 no answer came
  note: 2 bills were approved meanwhile

Run `reconciler plan --env sandbox` to see what is left. docs/runbook.md#exit-16
""")


def test_a_receipt_of_nothing_is_one_line() -> None:
    assert receipt_text(receipt()) == "sandbox is as git says; nothing was sent to m3ter.\n"


def test_a_receipt_that_adds_nothing_says_so() -> None:
    again = replace(receipt(("create", Already(LiveId("1")))), id=None)
    assert receipt_text(again) == (
        "sandbox: 1 already as desired of 1 change (nothing new to record).\n"
    )


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ((), ExitCode.DONE),
        ((DONE, Already(None)), ExitCode.DONE),
        ((DONE, Failed("x")), ExitCode.PARTLY_DONE),
        ((Blocked(ChangeId("x")),), ExitCode.PARTLY_DONE),
        ((NotAttempted("m3ter refused the key"),), ExitCode.PARTLY_DONE),
        ((Failed("x"), OutcomeUnknown("y")), ExitCode.UNKNOWN_OUTCOME),
        ((OutcomeUnknown("y"), INTERRUPTED), ExitCode.INTERRUPTED),
    ],
)
def test_the_gravest_outcome_decides_the_exit_code(
    outcomes: tuple[Outcome, ...], code: ExitCode
) -> None:
    made = receipt(*(("update", outcome) for outcome in outcomes)).receipt
    assert made is not None
    assert exit_code_of_receipt(made) is code


def test_no_drift_is_one_line() -> None:
    assert drift_text(plan()) == "sandbox: nothing was changed outside git.\n"
