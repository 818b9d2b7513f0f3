"""The judge: what is in Chargebee beside what must be, for every bill of the organisation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from chaos.due import Due, Json, LineKey, NotDue, Organisation

PROMOTIONAL = "promotional_credits"
STAMP = "cf_m3ter_bill_id"


@dataclass(frozen=True)
class Verdict:
    """What the judge found.

    Attributes:
        sent: Bills that are there exactly once and to the minor unit.
        open: Bills that must become invoices and are not there, with what is missing.
        left: Bills that must not be there, and why.
        wrong: Everything that must never be: doubled, wrong amounts, unasked for.
        unlisted: Bills that are not there and that no report names with a reason.
    """

    sent: tuple[str, ...] = ()
    open: Mapping[str, str] = field(default_factory=dict)
    left: Mapping[str, str] = field(default_factory=dict)
    wrong: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()

    @property
    def safe(self) -> bool:
        """Whether nothing is doubled, wrong or made up; some may still be missing."""
        return not self.wrong

    @property
    def done(self) -> bool:
        """Whether everything that must be there is, and all the rest is listed."""
        return self.safe and not self.open and not self.unlisted


def judge(before: Organisation, after: Organisation, listed: Mapping[str, str]) -> Verdict:
    """Compare.

    Args:
        before: Both vendors before anything was pushed, and the definitions in force.
        after: Both vendors now.
        listed: Bills that a report names as not sent, with the reason it gives.
    """
    wanted = before.due()
    site = _Site(before, after)
    sent: list[str] = []
    missing: dict[str, str] = {}
    waiting: dict[str, str] = {}
    wrong = list(site.unasked(wanted))
    for key, due in wanted.items():
        if isinstance(due, NotDue):
            wrong += [
                f"bill {key} must not be sent ({due.why}): {trace}" for trace in site.traces(key)
            ]
            continue
        if due.pending and not site.has_invoice(due):
            waiting[key] = "its subscription has no invoice to add lines to"
            continue
        problems, gaps = site.compare(key, due)
        wrong += [f"bill {key}: {problem}" for problem in problems]
        if gaps:
            missing[key] = "; ".join(gaps)
        elif not problems:
            sent.append(key)
    left = {key: due.why for key, due in wanted.items() if isinstance(due, NotDue)} | waiting
    silent = [key for key in (*left, *missing) if not listed.get(key, "").strip()]
    return Verdict(tuple(sent), missing, left, tuple(wrong), tuple(sorted(silent)))


class _Site:
    """The invoices that appeared or grew, by bill."""

    def __init__(self, before: Organisation, after: Organisation) -> None:
        self.after = after.chargebee
        self.by_hand = frozenset(_added_by_hand(after.chargebee.get("events", ())))
        self.known = {
            line["id"]
            for invoice in before.chargebee.get("invoices", ())
            for line in invoice["line_items"]
        }

    def compare(self, bill: str, due: Due) -> tuple[list[str], list[str]]:
        """Give what is wrong, and what is missing."""
        found = [self._pending(due)] if due.pending else self._stamped(bill)
        found = [entry for entry in found if entry]
        if len(found) > 1:
            ids = ", ".join(entry["id"] for entry in _all(found))
            return [f"there are {len(found)} invoices of it: {ids}"], []
        if not found and due.lines:
            return [], ["no invoice"]
        return self._contents(bill, found[0] if found else [], due)

    def has_invoice(self, due: Due) -> bool:
        """Whether the subscription has any invoice that lines could stand on."""
        return any(invoice["subscription_id"] == due.owner for invoice in self._invoices())

    def traces(self, bill: str) -> list[str]:
        """Invoices and credits that carry the mark of a bill that must not be sent."""
        invoices = [f"invoice {entry['id']}" for group in self._stamped(bill) for entry in group]
        return invoices + [f"promotional credit {entry['id']}" for entry in self._promoted(bill)]

    def unasked(self, wanted: Mapping[str, Due | NotDue]) -> Iterator[str]:
        """Give charge lines on invoices that nobody asked for."""
        owners = {due.owner for due in wanted.values() if isinstance(due, Due) and due.pending}
        for invoice in self._invoices():
            stamp = invoice.get(STAMP)
            if stamp is not None and stamp not in wanted:
                yield f"invoice {invoice['id']} carries the stamp {stamp} of no bill"
            if stamp is None and invoice["subscription_id"] not in owners:
                for line in self._new_lines(invoice):
                    yield f"invoice {invoice['id']} has the line {line['id']} of no bill"

    def _contents(self, bill: str, group: Sequence[Json], due: Due) -> tuple[list[str], list[str]]:
        wrong = [
            f"invoice {entry['id']} is in {entry['currency_code']}, not {due.currency}"
            for entry in group
            if entry["currency_code"] != due.currency
        ]
        lines = Counter(_key(line) for entry in group for line in self._new_lines(entry))
        wrong += [f"line {_say(element)} is too much" for element in (lines - due.lines).elements()]
        gaps = [f"line {_say(element)} is missing" for element in (due.lines - lines).elements()]
        discounts, credit = self._reductions(bill, group)
        if discounts != due.discounts.total():
            wrong.append(f"discounts of {discounts}, not {due.discounts.total()}")
        if credit > due.credit:
            wrong.append(f"credits of {credit}, not {due.credit}")
        elif credit < due.credit:
            gaps.append(f"credits of {credit}, not {due.credit}")
        return wrong, gaps

    def _reductions(self, bill: str, group: Sequence[Json]) -> tuple[int, int]:
        ids = {entry["id"] for entry in group}
        discounts = sum(
            part["discount_amount"]
            for entry in group
            for part in entry["line_item_discounts"]
            if part.get("discount_type") != PROMOTIONAL  # the customer's own credits
        )
        credit = sum(
            note["total"]
            for note in self.after.get("credit_notes", ())
            if note["reference_invoice_id"] in ids and note["status"] != "voided"
        )
        promoted = sum(entry["amount"] for entry in self._promoted(bill))
        return discounts, credit + promoted

    def _promoted(self, bill: str) -> list[Json]:
        """Promotional credits of a bill, by their reference; they belong to no invoice."""
        found = self.after.get("promotional_credits", ())
        return [
            credit
            for credit in found
            if credit["reference"] == bill and credit["type"] == "increment"
        ]

    def _stamped(self, bill: str) -> list[list[Json]]:
        """Invoices of a bill, each its own group; voided ones do not count."""
        return [[invoice] for invoice in self._invoices() if invoice.get(STAMP) == bill]

    def _pending(self, due: Due) -> list[Json]:
        """The invoices of the subscription that bear charge lines, as one group."""
        mine = [invoice for invoice in self._invoices() if invoice["subscription_id"] == due.owner]
        return [entry for entry in mine if any(True for _ in self._new_lines(entry))]

    def _invoices(self) -> Iterator[Json]:
        for invoice in self.after.get("invoices", ()):
            if invoice["status"] != "voided" and not invoice.get("deleted"):
                yield invoice

    def _new_lines(self, invoice: Json) -> Iterator[Json]:
        for line in invoice["line_items"]:
            foreign = line["id"] in self.known or line["id"] in self.by_hand
            if line["entity_type"].startswith("charge_item") and not foreign:
                yield line


def _added_by_hand(events: Sequence[Json]) -> Iterator[str]:
    """Give ids of the lines that a person added in Chargebee's own pages."""
    seen: set[str] = set()
    for event in sorted(events, key=lambda entry: int(entry["_number"])):
        ids = {line["id"] for line in event["content"].get("invoice", {}).get("line_items", ())}
        if event["source"] == "admin_console":
            yield from ids - seen
        seen |= ids


def _key(line: Json) -> LineKey:
    return line["entity_id"], line["amount"], line["date_from"], line["date_to"]


def _say(line: LineKey) -> str:
    return f"{line[0]} of {line[1]} ({line[2]} to {line[3]})"


def _all(groups: Sequence[Sequence[Json]]) -> Iterator[Json]:
    for group in groups:
        yield from group
