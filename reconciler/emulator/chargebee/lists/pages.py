"""Pages of lists: filtered, sorted, cut, with an opaque offset that survives changes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from reconciler.emulator.chargebee.lists.filters import Filter, read_filters
from reconciler.emulator.chargebee.lists.listings import LISTINGS, Listing
from reconciler.emulator.chargebee.parameters.forms import Tree
from reconciler.emulator.chargebee.parameters.parameters import Flag, TextParameter, Whole
from reconciler.emulator.chargebee.parameters.refusals import wrong_value
from reconciler.emulator.chargebee.site import EmulatedSite, public
from reconciler.emulator.store import StoredRow, Table
from reconciler.emulator.wire import MalformedJsonError, decode, encode

_TEXT_SORTS: Final = frozenset({"id", "name"})
_INDEXED: Final = frozenset({"customer_id", "subscription_id", "entity_id", "reference_invoice_id"})
_PLAIN: Final = frozenset({"limit", "offset", "sort_by", "include_deleted", "is_voided"})
# Offset of an empty first page: the list has not begun yet.
_START: Final = '["",""]'

Key = tuple[str | int, int]


@dataclass(frozen=True, slots=True)
class Sorted:
    """Rows in ascending order, with their keys beside them."""

    keys: list[Key]
    rows: list[StoredRow]


@dataclass(slots=True)
class Pages:
    """Serves the lists of one site.

    Attributes:
        site: The site.
        lag_seconds: Objects younger than this are missing from the next page; a fault sets it.
        empty: The next page is empty, but has an offset; a fault sets it.
    """

    site: EmulatedSite
    lag_seconds: int = 0
    empty: bool = False
    _sorted: dict[tuple[str, str], tuple[int, Sorted]] = field(default_factory=dict)

    def page(self, name: str, tree: Tree, fixed: Mapping[str, str]) -> bytes:
        """One page as JSON.

        Args:
            name: Which list.
            tree: The query.
            fixed: Fields that the path decides, e.g. the customer's id.

        Raises:
            RefusalError: On a filter, sort order, limit or offset that is none.
        """
        listing = LISTINGS[name]
        self._refuse_unknown(listing, tree)
        limit = Whole(1, 100).read("limit", _leaf(tree, "limit", "10"))
        sort, descending = self._sort(listing, tree)
        filters = read_filters(listing.attributes, tree)
        filters += [Filter(name, "is", (value,), "text") for name, value in fixed.items()]
        if listing.deletable and not _asked(tree, "include_deleted"):
            filters.append(Filter("deleted", "is_not", ("true",), "flag"))
        after = _cursor(tree, sort)
        if self.empty:
            self.empty = False
            return _answer([], _leaf(tree, "offset", _START))
        rows = self._behind(listing, filters, sort, after, descending=descending)
        seen = self._horizon()
        fitting = (row for row in rows if row.created <= seen and _fits(row, filters))
        found = list(islice(fitting, limit + 1))
        shown = [self._encoded(listing, row) for row in found[:limit]]
        return _answer(shown, _offset(found[limit - 1], sort) if len(found) > limit else None)

    def _refuse_unknown(self, listing: Listing, tree: Tree) -> None:
        if self.site.switches.text("unknown_parameters") == "refuse":
            for name in tree:
                if name not in listing.attributes and name not in _PLAIN:
                    raise wrong_value(name, "is not a parameter of this operation")

    def _sort(self, listing: Listing, tree: Tree) -> tuple[str | None, bool]:
        orders = tree.get("sort_by", {})
        for order, name in (orders if isinstance(orders, dict) else {}).items():
            if order not in {"asc", "desc"} or name not in listing.sorts:
                raise wrong_value(f"sort_by[{order}]", "is not a sort order of this list")
            return str(name), order == "desc"
        return None, self.site.switches.text("list_order") == "newest"

    def _horizon(self) -> datetime:
        """Objects created after this instant are not listed yet."""
        lag = max(self.lag_seconds, self.site.switches.number("chargebee_list_lag_seconds"))
        self.lag_seconds = 0
        return self.site.store.now() - timedelta(seconds=lag)

    def _behind(
        self,
        listing: Listing,
        filters: list[Filter],
        sort: str | None,
        after: Key | None,
        *,
        descending: bool,
    ) -> Iterable[StoredRow]:
        """The rows behind the last one of the page before, whatever was added or removed since."""
        table = self.site.table(listing.kind)
        few = _named(table, filters)
        if few is None and sort is None:
            if descending:
                return table.newest(None if after is None else after[1])
            return table.oldest(-1 if after is None else after[1])
        ordered = self._whole(listing.kind, str(sort)) if few is None else _ordered(few, sort)
        if descending:
            end = len(ordered.rows) if after is None else bisect_left(ordered.keys, after)
            return reversed(ordered.rows[:end])
        return ordered.rows[0 if after is None else bisect_right(ordered.keys, after) :]

    def _encoded(self, listing: Listing, row: StoredRow) -> bytes:
        """One entry; kept with the object, unless another object stands beside it."""
        if listing.beside is not None:
            other = self.site.get(listing.beside, row.data[f"{listing.beside}_id"])
            return encode(public({listing.kind: row.data, listing.beside: other}))
        if listing.kind not in row.encoded:
            row.encoded[listing.kind] = encode(public({listing.kind: row.data}))
        return row.encoded[listing.kind]

    def _whole(self, kind: str, sort: str) -> Sorted:
        """A whole table in order, kept until anything is written."""
        writes, known = self._sorted.get((kind, sort), (-1, Sorted([], [])))
        if writes != self.site.store.writes:
            known = _ordered(self.site.table(kind).rows.values(), sort)
            self._sorted[kind, sort] = (self.site.store.writes, known)
        return known


def _named(table: Table, filters: list[Filter]) -> list[StoredRow] | None:
    """The rows that a filter names by id or by an indexed field; ``None`` if none does."""
    for condition in filters:
        wanted = dict.fromkeys(condition.operands) if condition.operator in {"is", "in"} else {}
        if wanted and condition.field == "id":
            return [table.rows[key] for key in wanted if key in table.rows]
        if wanted and condition.field in _INDEXED:
            return [row for value in wanted for row in table.where(condition.field, value)]
    return None


def _ordered(rows: Iterable[StoredRow], sort: str | None) -> Sorted:
    sortable = [row for row in rows if sort is None or row.data.get(sort) is not None]
    sortable.sort(key=lambda row: _key(row, sort))
    return Sorted([_key(row, sort) for row in sortable], sortable)


def _key(row: StoredRow, sort: str | None) -> Key:
    return (0 if sort is None else row.data[sort], row.position)


def _fits(row: StoredRow, filters: list[Filter]) -> bool:
    return all(condition.accepts(row.data) for condition in filters)


def _answer(shown: list[bytes], offset: str | None) -> bytes:
    tail = b"" if offset is None else b',"next_offset":' + encode(offset)
    return b'{"list":[' + b",".join(shown) + b"]" + tail + b"}"


def _offset(row: StoredRow, sort: str | None) -> str:
    """An offset that looks like Chargebee's: a JSON array of two texts."""
    value, position = _key(row, sort)
    return encode([str(value), str(position)]).decode()


def _cursor(tree: Tree, sort: str | None) -> Key | None:
    text = TextParameter(1000).read("offset", _leaf(tree, "offset", ""))
    if text in {"", _START}:
        return None
    try:
        value, position = decode(text.encode())
        return (value if sort in _TEXT_SORTS else int(value or 0)), int(position)
    except (MalformedJsonError, TypeError, ValueError) as error:
        raise wrong_value("offset", "is not an offset of this list") from error


def _leaf(tree: Tree, name: str, default: str) -> str:
    value = tree.get(name, default)
    if isinstance(value, dict):
        raise wrong_value(name, "must be a single value")
    return value or default


def _asked(tree: Tree, name: str) -> bool:
    return Flag().read(name, _leaf(tree, name, "false"))
