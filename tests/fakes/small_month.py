"""A month of few bills, each made for what a test is about, and one integration that takes them.

Commands are those that people type. What people do in the consoles of m3ter and Chargebee is one
request of their own, or goes over the emulator's control surface.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any, Self

from chaos import month_end
from chaos.due import Json
from chaos.ground import NOTHING, SQLITE, Control, Ended
from chaos.inside import Inside
from fakes.emulated_http import EmulatedHttp

from reconciler.emulator import wire
from reconciler.emulator.chargebee.sites import API_KEY
from reconciler.emulator.control import merge_patch
from reconciler.emulator.running import RunningEmulator, environment
from reconciler.emulator.store import Store

ENV = ("--env", month_end.ENVIRONMENT)
CREDENTIAL = {"name": "Chargebee (test)", "type": "CHARGEBEE_AUTH", "destination": "CHARGEBEE"}
BILLS = "m3ter/bills"
RUNS = "m3ter/integrationruns"
USD_PENDING = "Month end USD pending"
"""Adds lines to pending invoices: of account 4 on time, of 24 late, of 44 never."""
GBP = "Month end GBP"
"""Makes an invoice for each bill."""
ACCOUNTS = 45


class SmallMonth(Inside):
    """A repository with one integration, and the emulator that it points at.

    Attributes:
        store: What both vendors remember; touched only between commands.
        name: The integration.
        sample: A line that is priced by the integration's settings.
    """

    store: Store
    name: str
    sample: Json
    before_all: Json

    @classmethod
    def of(cls, folder: Path, emulator: RunningEmulator, *configs: str) -> Self:
        """Write the definitions of some configurations and forget all bills; applies nothing."""
        made = cls(folder, Control(emulator.url), environment(emulator.url), NOTHING)
        made.store = emulator.world.store
        made.ahead = made.control.now() - time.time()
        m3ter = made.control.state().m3ter
        mine = [
            integration
            for integration in m3ter["integrationconfigs"]
            if integration["name"] in configs
        ]
        month_end.write(folder, {**m3ter, "integrationconfigs": mine}, SQLITE, 100_000)
        made.name = configs[0].lower().replace(" ", "-")
        made.before_all = next(made.store.all(BILLS))
        for entry in list(made.store.all(BILLS)):
            made.store.delete(BILLS, entry["id"])
        return made

    # what people write

    def define(self, name: str = "", **spec: Any) -> None:
        """Edit the definition of an integration, as a merge patch."""
        self._edit("Integration", name or self.name, spec)

    def environment_is(self, **spec: Any) -> None:
        """Edit the environment, as a merge patch."""
        self._edit("Environment", month_end.ENVIRONMENT, spec)

    def map(self, entity: str, m3ter: Json, external: str) -> None:
        """Add a row to the integration's mappings of an entity."""
        for file in self._documents():
            found = wire.decode(file.read_bytes())
            spec = found["spec"]
            if spec.get("integration") == self.name and spec["m3terEntity"] == entity:
                spec["rows"].append({"m3ter": m3ter, "externalId": external})
                file.write_bytes(wire.encode(found) + b"\n")

    def _documents(self) -> list[Path]:
        """The files that were written as one document each; dialects are found, not written."""
        files = sorted((self.folder / "integrations.d").glob("*.yaml"))
        return [file for file in files if file.read_bytes().startswith(b"{")]

    def _edit(self, kind: str, name: str, spec: Json) -> None:
        for file in self._documents():
            found = wire.decode(file.read_bytes())
            if (found["kind"], found["metadata"]["name"]) == (kind, name):
                file.write_bytes(wire.encode(merge_patch(found, {"spec": dict(spec)})) + b"\n")

    # what people type

    def go(self, line: str, **environ: str) -> Ended:
        """Run a command as the runbook writes it, with this environment for `production`."""
        typed = line.removeprefix("reconciler ")
        typed = re.sub(r"--env (production|sandbox)", f"--env {month_end.ENVIRONMENT}", typed)
        words = [entry.strip("\"'") for entry in re.findall(r'"[^"]*"|\'[^\']*\'|\S+', typed)]
        return self.run_with(environ, *words)

    def apply(self) -> Ended:
        """Plan, read the plan, approve what it asks for, and apply."""
        asked = sorted(set(re.findall(r"[a-z-]+@[0-9a-f]{12}", self.run("plan", *ENV).out)))
        approvals = [part for entry in asked for part in ("--approve", entry)]
        ended = self.run("apply", *ENV, "--yes", *approvals)
        assert ended.code == 0, ended
        return ended

    # what m3ter does, and people in its Console

    def connect(self) -> None:
        """Make the credential that a native integration is connected with."""
        self.m3ter("POST", "/integrationcredentials", CREDENTIAL)
        self.environment_is(credentials={"chargebee": {"name": CREDENTIAL["name"]}})

    def bill(self, account: int = 0, *amounts: str, status: str = "APPROVED", **more: Any) -> str:
        """Let m3ter have made a bill of fees; nobody is told of it."""
        code = f"acct-{account:05}"
        (owner,) = self.store.where("m3ter/accounts", "code", code)
        made = {
            **self.before_all,
            "id": self.store.new_id(),
            "accountId": owner["id"],
            "accountCode": code,
            "currency": owner["currency"],
            "status": status,
            "currencyConversions": [],
        }
        lines = [
            self.line(amount, owner["currency"], number)
            for number, amount in enumerate(amounts or ("10",), start=1)
        ]
        self.store.put(BILLS, {**made, "lineItems": lines, **more})
        return str(made["id"])

    def line(self, amount: str, currency: str, number: int = 1, **more: Any) -> Json:
        """A fee over the bill's month."""
        period = {
            f"servicePeriod{side}Date": self.before_all[f"{name}DateTimeUTC"]
            for side, name in (("Start", "start"), ("End", "end"))
        }
        return {
            "id": self.store.new_id(),
            "sequenceNumber": number,
            "lineItemType": "AD_HOC",
            "description": "Fee",
            "quantity": "1",
            "units": "1",
            "unit": "",
            "averageUnitPrice": amount,
            "subtotal": amount,
            "currency": currency,
            "conversionRate": 1,
            "convertedSubtotal": amount,
            **period,
            **more,
        }

    def approve(self, bill: str) -> None:
        """Approve a bill; a connected integration of m3ter's then sends it."""
        self.m3ter("PUT", f"/bills/{bill}/status", {"status": "APPROVED"})

    def take_back(self, bill: str) -> None:
        """Take an approval back."""
        self.m3ter("PUT", f"/bills/{bill}/status", {"status": "PENDING"})

    def edit(self, key: str, **patch: Any) -> None:
        """Edit an object as a person in a console."""
        self.control.user_edit(key, patch)

    def recalculate(self, bill: str, amount: str) -> None:
        """Change what a bill comes to, as a recalculation does, and approve it."""
        found = self.store.get(BILLS, bill)
        assert found is not None
        lines = [self.line(amount, found["currency"])]
        self.edit(bill, lineItems=lines, version=found["version"] + 1)

    def runs_of(self, bill: str) -> list[Json]:
        """m3ter's own runs of a bill."""
        return list(self.store.where(RUNS, "entityId", bill))

    def m3ter(self, method: str, path: str, body: object) -> Any:
        """One request to m3ter that must succeed."""
        with EmulatedHttp(self.control.url) as http:
            http.log_in()
            answer = http.m3ter(method, path, body)
        assert answer.status_code == 200, answer.text
        return wire.decode(answer.content)

    # what people do in Chargebee

    def chargebee(self, path: str, **form: str) -> Any:
        """One request to Chargebee that must succeed."""
        with EmulatedHttp(self.control.url) as http:
            answer = http.http.post(f"/api/v2{path}", data=form, auth=(API_KEY, ""))
        assert answer.status_code == 200, answer.text
        return wire.decode(answer.content)

    def invoice_by_hand(self, account: int, minor: int) -> str:
        """Make an invoice for an account, as finance does it; gives its id."""
        (owner,) = self.store.where("m3ter/accounts", "code", f"acct-{account:05}")
        made = self.chargebee(
            "/invoices/create_for_charge_items_and_charges",
            **{
                "subscription_id": f"sub-acct-{account:05}",
                "currency_code": owner["currency"],
                "charges[amount][0]": str(minor),
                "charges[description][0]": "By hand",
            },
        )
        return str(made["invoice"]["id"])

    def take_field(self) -> dict[str, Any]:
        """Remove the site's custom field for bill ids; gives it."""
        kind = "chargebee/custom_field_configs"
        (found,) = [entry for entry in self.store.all(kind) if entry["id"] == "cf_m3ter_bill_id"]
        self.store.delete(kind, found["id"])
        return found

    def invoices(self, bill: str) -> list[Json]:
        """The invoices that stand with a bill's stamp."""
        return [
            invoice
            for invoice in self.store.all("chargebee/invoices")
            if invoice.get("cf_m3ter_bill_id") == bill and invoice["status"] != "voided"
        ]

    def lines_for(self, account: int) -> list[int]:
        """Amounts of the charges on every invoice of an account's subscription."""
        return sorted(
            line["amount"]
            for invoice in self.store.all("chargebee/invoices")
            if invoice.get("subscription_id") == f"sub-acct-{account:05}"
            and invoice["status"] != "voided"
            for line in invoice["line_items"]
            if line["entity_type"].startswith("charge_item")
        )
