"""Bills of a window, as a stream that holds one page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.kernel.address import BillId
from reconciler.m3ter.api.errors import UnreadableAnswerError
from reconciler.m3ter.api.session import OrganisationSession, batches, segment
from reconciler.m3ter.api.wire.bills import decode_bill, decode_line
from reconciler.m3ter.bill import Bill, BillLine
from reconciler.m3ter.ports import BillQuery

PATH = "/bills"
# Source: m3ter OpenAPI 2026-08-03, ListBills and ListBillLineItems: pageSize at most 100
PAGE_SIZE = 100
Parameters = list[tuple[str, str]]


class M3terBills:
    """Implements ``m3ter.ports.Bills``."""

    def __init__(self, session: OrganisationSession) -> None:
        self._session = session

    def list(self, query: BillQuery) -> Iterator[Bill]:
        """Stream bills, newest first; at most one page is held."""
        for filters in self._filters(query):
            every = [*filters, *_shape(query)]
            items = self._session.items(PATH, every, size=PAGE_SIZE, intent="list the bills")
            yield from (bill for bill in map(decode_bill, items) if _matches(query, bill))

    def get(self, identity: BillId) -> Bill:
        """Give one bill with its lines and total.

        Raises:
            NotFoundError: When there is none.
        """
        found = self._session.read(
            f"{PATH}/{segment(identity)}",
            (("includeBillTotal", "true"),),
            intent=f"read bill {identity}",
        )
        if not isinstance(found, Mapping):
            raise UnreadableAnswerError(f"bill {identity}", "it is no object")
        return decode_bill(found)

    def lines(self, identity: BillId) -> tuple[BillLine, ...]:
        """Give a bill's lines by the line item resource, its other shape on the wire."""
        items = self._session.items(
            f"{PATH}/{segment(identity)}/lineitems",
            size=PAGE_SIZE,
            intent=f"list the lines of bill {identity}",
        )
        return tuple(decode_line(item) for item in items)

    def _filters(self, query: BillQuery) -> Iterator[Parameters]:
        if query.ids is not None:
            for some in batches(query.ids, PAGE_SIZE):
                yield self._session.listed("ids", some)
            return
        given = {
            "billDateStart": query.since.isoformat() if query.since else None,
            "billDateEnd": query.until.isoformat() if query.until else None,
            "status": query.status,
            "accountId": query.account,
        }
        yield [(key, value) for key, value in given.items() if value is not None]


def _shape(query: BillQuery) -> Parameters:
    lines = [] if query.lines else [("excludeLineItems", "true")]
    return [*lines, *([("includeBillTotal", "true")] if query.total else [])]


def _matches(query: BillQuery, bill: Bill) -> bool:
    """Check again what m3ter was asked for: a filter it does not know may be ignored."""
    dated = bill.bill_date or bill.end_date
    return (
        (query.ids is None or bill.id in query.ids)
        and (query.since is None or dated >= query.since)
        and (query.until is None or dated < query.until)
        and (query.status is None or bill.status == query.status)
        and (query.account is None or bill.account_id == query.account)
    )
