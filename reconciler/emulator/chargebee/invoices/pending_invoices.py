"""Working on a pending invoice: adding and deleting lines, and closing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reconciler.emulator.chargebee.invoices.invoice_shape import (
    check_size,
    content_in,
    custom_fields,
    totalled,
    with_content,
)
from reconciler.emulator.chargebee.invoices.lines import LineMaker, Place, Priced
from reconciler.emulator.chargebee.invoices.settlement import finalised, renamed_lines
from reconciler.emulator.chargebee.invoices.unbilled_charges import forget, sweep
from reconciler.emulator.chargebee.objects.comments import remark
from reconciler.emulator.chargebee.objects.owners import InvoiceOwner
from reconciler.emulator.chargebee.parameters.facts_billing import (
    ADD_CHARGE,
    ADD_CHARGE_ITEM,
    CLOSE,
    DELETE_LINE_ITEMS,
)
from reconciler.emulator.chargebee.parameters.forms import Tree
from reconciler.emulator.chargebee.parameters.refusals import (
    not_configured,
    wrong_state,
    wrong_value,
)
from reconciler.emulator.chargebee.site import EmulatedSite, JsonObject, public


def add_charge_item(site: EmulatedSite, form: Tree, key: str) -> JsonObject:
    """Add one charge item."""
    values = site.reading().read(ADD_CHARGE_ITEM, form)
    invoice = pending_invoice(site, key)
    maker = _maker(site, invoice, values)
    priced = maker.item(values["item_price"], Place("item_price"), values.get("item_tiers", ()))
    return {"invoice": public(_add(site, invoice, priced, values))}


def add_charge(site: EmulatedSite, form: Tree, key: str) -> JsonObject:
    """Add one ad-hoc charge."""
    values = site.reading().read(ADD_CHARGE, form)
    invoice = pending_invoice(site, key)
    merged = {**values.get("line_item", {}), **values}
    priced = _maker(site, invoice, values).adhoc(merged, Place())
    return {"invoice": public(_add(site, invoice, priced, values))}


def delete_line_items(site: EmulatedSite, form: Tree, key: str) -> JsonObject:
    """Take lines off again."""
    values = site.reading().read(DELETE_LINE_ITEMS, form)
    invoice = pending_invoice(site, key)
    present = {line["id"] for line in invoice["line_items"]}
    for row in values["line_items"]:
        if row.values["id"] not in present:
            reason = f"is not a line item of the invoice {key}"
            raise wrong_value(f"line_items[id][{row.index}]", reason)
    gone = {row.values["id"] for row in values["line_items"]}
    stored = site.put("invoice", totalled(_without(invoice, gone)))
    site.raise_event("pending_invoice_updated", {"invoice": stored})
    return {"invoice": public(stored)}


def close(site: EmulatedSite, form: Tree, key: str) -> JsonObject:
    """Finalise a pending invoice on request."""
    values = site.reading().read(CLOSE, form)
    invoice = pending_invoice(site, key)
    if not invoice["line_items"]:
        raise wrong_state("An invoice without line items cannot be closed.")
    owner = owner_in(site, invoice)
    collect = owner.setting("auto_collection", "on") == "on"
    stored = closed(site, _dated(site, invoice, values), values, collect=collect)
    remark(site, "invoice", stored["id"], values.get("comment"))
    return {"invoice": public(stored)}


def closed(
    site: EmulatedSite, invoice: JsonObject, values: Mapping[str, Any], *, collect: bool | None
) -> JsonObject:
    """Finalise a pending invoice, by request or because its time has come."""
    owner = owner_in(site, invoice)
    content = sweep(site, owner, content_in(invoice))
    note = values.get("invoice_note")
    notes = [*invoice["notes"], *([{"note": note, "object": "note"}] if note else [])]
    changes = {"notes": notes, **custom_fields(values)}
    draft = totalled(with_content(invoice | changes, content))
    stored = finalised(site, owner, renamed_lines(site, draft), collect=collect)
    if stored["id"] != invoice["id"]:
        site.remove("invoice", invoice["id"])
    forget(site, stored["line_items"])
    site.raise_event("invoice_generated", {"invoice": stored})
    return stored


def repeat_last_line(site: EmulatedSite, invoice: JsonObject) -> None:
    """Add a copy of the last line, as a person could do it; nothing without one."""
    for line in invoice["line_items"][-1:]:
        _add(site, invoice, Priced(line | {"id": site.new_id("li_")}), {})


def pending_invoice(site: EmulatedSite, key: str) -> JsonObject:
    """The invoice of a path, which must be pending.

    Raises:
        RefusalError: 404 without one, 409 if it is not pending, 400 if the site has no metered
            billing.
    """
    invoice = invoice_in(site, key)
    if invoice["status"] != "pending":
        raise wrong_state(f"The invoice {invoice['id']} is {invoice['status']}, not pending.")
    if not site.switches.on("metered_billing"):
        raise not_configured("Metered billing is not enabled for this site.")
    return invoice


def invoice_in(site: EmulatedSite, key: str) -> JsonObject:
    """The invoice of a path; a closed one also by its old id where the site allows that.

    Raises:
        RefusalError: 404 if there is none, or it is deleted and the site hides those.
    """
    found = site.get("invoice", key)
    if found is None and site.switches.number("draft_id_after_close") == 200:  # noqa: PLR2004
        found = next(iter(site.where("invoice", "_draft_id", key)), None)
    hidden = site.switches.number("deleted_invoice") == 404  # noqa: PLR2004
    if found is None or (found["deleted"] and hidden):
        return site.need("invoice", f"{key} (deleted)" if found else key)
    return found


def owner_in(site: EmulatedSite, invoice: JsonObject) -> InvoiceOwner:
    """Whom a stored invoice is for."""
    subscription = site.get("subscription", str(invoice["subscription_id"]))
    customer = site.need("customer", invoice["customer_id"])
    return InvoiceOwner(customer, subscription, invoice["currency_code"])


def _maker(site: EmulatedSite, invoice: JsonObject, values: Mapping[str, Any]) -> LineMaker:
    """A maker of lines; a subscription may be named on a consolidated invoice."""
    given = values.get("subscription_id")
    if given is not None:
        site.need("subscription", given, "subscription_id")
        if invoice["subscription_id"] not in (None, given):
            raise wrong_value("subscription_id", "is not the subscription of this invoice")
    subscription = given or invoice["subscription_id"]
    return LineMaker(site, invoice["currency_code"], invoice["customer_id"], subscription)


def _add(
    site: EmulatedSite, invoice: JsonObject, priced: Priced, values: Mapping[str, Any]
) -> JsonObject:
    content = content_in(invoice).with_lines([priced])
    check_size(site, content.lines)
    stored = site.put("invoice", totalled(with_content(invoice, content)))
    remark(site, "invoice", stored["id"], values.get("comment"))
    if site.switches.on("updated_event_per_line"):
        site.raise_event("pending_invoice_updated", {"invoice": stored})
    return stored


def _without(invoice: JsonObject, gone: set[str]) -> JsonObject:
    content = content_in(invoice)
    parts = [part for part in content.parts if part["line_item_id"] not in gone]
    shown = []
    for discount in content.discounts:
        same = [part for part in parts if part["discount_type"] == discount["entity_type"]]
        mine = [part for part in same if part.get("entity_id") == discount.get("entity_id")]
        shown.append(discount | {"amount": sum(part["discount_amount"] for part in mine)})
    return with_content(
        invoice,
        replace(
            content,
            lines=tuple(line for line in content.lines if line["id"] not in gone),
            tiers=tuple(tier for tier in content.tiers if tier["line_item_id"] not in gone),
            parts=tuple(parts),
            discounts=tuple(shown),
        ),
    )


def _dated(site: EmulatedSite, invoice: JsonObject, values: Mapping[str, Any]) -> JsonObject:
    """The invoice with the date it gets at closing."""
    date = values.get("invoice_date")
    if date is not None:
        if not site.switches.on("close_date_override"):
            raise not_configured("The site does not allow another invoice date.", "invoice_date")
        if not invoice["_created_at"] <= date <= site.now():
            raise wrong_value("invoice_date", "must lie between generation and now")
        return invoice | {"date": date}
    if site.switches.text("closed_invoice_date") == "closing":
        return invoice | {"date": site.now()}
    return invoice
