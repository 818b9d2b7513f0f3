"""Chargebee's API v2 over the shared store: from a request to an answer."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from reconciler.emulator.chargebee import idempotency
from reconciler.emulator.chargebee.calendar import Calendar
from reconciler.emulator.chargebee.invoices import pending_invoices
from reconciler.emulator.chargebee.limits import Limits
from reconciler.emulator.chargebee.lists.pages import Pages
from reconciler.emulator.chargebee.parameters.forms import Tree, read_form, read_pairs
from reconciler.emulator.chargebee.parameters.refusals import RefusalError, bad_key, wrong_state
from reconciler.emulator.chargebee.routes import NOT_IDEMPOTENT, PREFIX, Route, route
from reconciler.emulator.chargebee.site import SITES, EmulatedSite, JsonObject
from reconciler.emulator.chargebee.sites import default_site
from reconciler.emulator.chargebee.webhooks import Courier, Sender, post_in_thread
from reconciler.emulator.exchange import HttpAnswer, HttpRequest
from reconciler.emulator.store import Store
from reconciler.emulator.wire import encode

_JSON: Final = (("content-type", "application/json;charset=utf-8"),)
_INVOICE: Final = re.compile(r"^invoices/([^/]+)/[a-z_]+$")
_LAGGING_SECONDS: Final = 60
_ERRORS: Final = {
    429: ("operation_failed", "api_request_limit_exceeded"),
    500: ("operation_failed", "internal_error"),
    503: ("operation_failed", "internal_temporary_error"),
}


# Who adds foreign lines.
_PERSON = "k.smith"


@dataclass(frozen=True, slots=True)
class SiteServer:
    """What serves one site."""

    site: EmulatedSite
    limits: Limits
    pages: Pages
    calendar: Calendar
    courier: Courier


class ChargebeeHalf:
    """Chargebee, with every site that the store knows; the API key selects one."""

    def __init__(self, store: Store, send: Sender = post_in_thread) -> None:
        """Serve the sites in the store, or the default one where a scenario has none."""
        default_site(store)
        self._desks: dict[str, SiteServer] = {}
        for record in store.all(SITES):
            site = EmulatedSite(store, record["id"])
            limits = Limits(store.switches)
            courier = Courier(site, send)
            calendar = Calendar(site, courier.note)
            desk = SiteServer(site, limits, Pages(site), calendar, courier)
            self._desks[record["_secret"]["api_key"]] = desk

    def handle(self, request: HttpRequest) -> HttpAnswer:
        """Answer a request."""
        try:
            return self._handle(self._desk(request), request)
        except RefusalError as error:
            return _refused(error)

    def fault(self, name: str, request: HttpRequest) -> HttpAnswer | None:
        """Bring about a fault; one that does not fit the request does nothing."""
        try:
            return self._fault(self._desk(request), name, request)
        except RefusalError:
            return None

    def error(self, status: int, message: str) -> HttpAnswer:
        """An error in Chargebee's form."""
        kind, code = _ERRORS.get(status, _ERRORS[500])
        return _refused(RefusalError(status, kind, code, message))

    def user_edit(self, edited: JsonObject, user: str) -> JsonObject:
        """Stamp an object that a person edited in the site's admin console."""
        version = edited.get("resource_version", 0) + 1
        stamped = edited | {"resource_version": version, "_edited_by": user}
        if stamped.get("object") == "invoice":
            for desk in self._desks.values():
                if desk.site.get("invoice", stamped["id"]) is not None:
                    _tell_of_edit(desk.site, stamped, user)
        return stamped

    def hold(self, request: HttpRequest, seconds: float) -> None:
        """Keep a request in flight for some real seconds, for limits and locks."""
        try:
            desk = self._desk(request)
            key = idempotency.key_of(request)
            desk.limits.hold(request, seconds, lock=_lock(request), key=key)
        except RefusalError:
            return

    def release(self, request: HttpRequest) -> None:
        """End a request that was kept in flight."""
        for desk in self._desks.values():
            desk.limits.release(request)

    def _desk(self, request: HttpRequest) -> SiteServer:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        try:
            text = base64.b64decode(given, validate=True).decode("latin-1")
        except (binascii.Error, ValueError) as error:
            raise bad_key() from error
        desk = self._desks.get(text.partition(":")[0])
        if scheme.lower() != "basic" or desk is None:
            raise bad_key()
        return desk

    def _handle(self, desk: SiteServer, request: HttpRequest) -> HttpAnswer:
        desk.limits.admit(request)
        asked = route(request.method, request.path)
        if request.method == "GET":
            return HttpAnswer(200, _read(desk, asked, request), _JSON)
        return _write(desk, asked, request)

    def _fault(self, desk: SiteServer, name: str, request: HttpRequest) -> HttpAnswer | None:
        match name:
            case "lock_timeout":
                return _refused(desk.limits.refusal("lock_timeout"))
            case "third_party_rate_limit":
                return _refused(desk.limits.refusal("third_party_api_request_limit_exceeded"))
            case "idempotency_expiry":
                idempotency.expire(desk.site, request)
            case "list_lag":
                desk.pages.lag_seconds = _LAGGING_SECONDS
            case "empty_page":
                desk.pages.empty = True
            case "auto_close":
                for invoice in _touched(desk.site, request):
                    desk.calendar.close(invoice)
            case "foreign_line":
                for invoice in _touched(desk.site, request):
                    _add_by_hand(desk.site, invoice, request)
            case _:
                pass
        return None


def _read(desk: SiteServer, asked: Route, request: HttpRequest) -> bytes:
    if asked.read is not None:
        return encode(asked.read(desk.site, asked.key))
    assert asked.listing is not None
    fixed = {asked.fixed: asked.key} if asked.fixed else {}
    return desk.pages.page(asked.listing, read_pairs(request.query), fixed)


def _write(desk: SiteServer, asked: Route, request: HttpRequest) -> HttpAnswer:
    """Carry a POST out once: by its key, and alone on its object."""
    assert asked.write is not None
    keyed = bool(idempotency.key_of(request)) and asked.write not in NOT_IDEMPOTENT
    if keyed:
        _refuse_running(desk, request)
        replayed = idempotency.replay(desk.site, request)
        if replayed is not None:
            return replayed
    answer = _performed(desk, asked, request)
    if keyed:
        idempotency.remember(desk.site, request, answer)
    return answer


def _performed(desk: SiteServer, asked: Route, request: HttpRequest) -> HttpAnswer:
    assert asked.write is not None
    before = desk.site.store.writes
    try:
        desk.limits.check_lock(request, _lock(request))
        body = asked.write(desk.site, read_form(request.body), asked.key)
        answer = HttpAnswer(200, encode(body), _JSON)
    except RefusalError as error:
        answer = _refused(error)
    desk.calendar.note()
    desk.courier.note()
    return HttpAnswer(answer.status, answer.body, answer.headers, desk.site.store.writes != before)


def _refuse_running(desk: SiteServer, request: HttpRequest) -> None:
    key = idempotency.key_of(request)
    if any(other.key == key for other in desk.limits.others(request)):
        if desk.site.switches.number("idempotency_in_flight") == 429:  # noqa: PLR2004
            raise desk.limits.refusal("lock_timeout")
        raise wrong_state("A request with this idempotency key is still being processed.")


def _refused(error: RefusalError) -> HttpAnswer:
    return HttpAnswer(error.status, encode(error.body), (*_JSON, *error.headers))


def _lock(request: HttpRequest) -> str:
    """The object that a write works on alone: an invoice, or else a subscription or customer."""
    if request.method != "POST":
        return ""
    match = _INVOICE.match(request.path.removeprefix(PREFIX))
    if match:
        return f"invoice {match.group(1)}"
    form = _form(request)
    for name in ("subscription_id", "customer_id"):
        if isinstance(form.get(name), str):
            return f"{name} {form[name]}"
    return ""


def _form(request: HttpRequest) -> Tree:
    try:
        return read_form(request.body)
    except RefusalError:
        return {}


def _touched(site: EmulatedSite, request: HttpRequest) -> list[JsonObject]:
    """The pending invoices that a request is about: that of its path, or of its subscription."""
    match = _INVOICE.match(request.path.removeprefix(PREFIX))
    if match:
        found = [site.get("invoice", match.group(1))]
    else:
        name = _form(request).get("subscription_id")
        found = [*site.where("invoice", "subscription_id", name)] if isinstance(name, str) else []
    return [invoice for invoice in found if invoice is not None and invoice["status"] == "pending"]


def _tell_of_edit(site: EmulatedSite, invoice: JsonObject, user: str) -> None:
    """Raise the event that a person's edit of an invoice raises."""
    kind = "pending_invoice_updated" if invoice["status"] == "pending" else "invoice_updated"
    with site.by_person(user):
        site.raise_event("invoice_deleted" if invoice["deleted"] else kind, {"invoice": invoice})


def _add_by_hand(site: EmulatedSite, invoice: JsonObject, request: HttpRequest) -> None:
    """Let a person add the line that the request is about to add, or the last one once more."""
    with site.by_person(_PERSON):
        if request.path.endswith("/add_charge_item"):
            pending_invoices.add_charge_item(site, _form(request), invoice["id"])
        elif request.path.endswith("/add_charge"):
            pending_invoices.add_charge(site, _form(request), invoice["id"])
        else:
            pending_invoices.repeat_last_line(site, invoice)
