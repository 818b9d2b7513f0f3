"""One Chargebee site over the store: its set-up, its objects, its ids, its events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from reconciler.emulator.chargebee.money import ZERO_DECIMAL, UnitCrossing
from reconciler.emulator.chargebee.parameters.parameters import Strictness
from reconciler.emulator.chargebee.parameters.refusals import not_found
from reconciler.emulator.store import Store, Table
from reconciler.emulator.switches.table import Switches

JsonObject = dict[str, Any]
SITES = "chargebee/sites"
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

# Source: Chargebee API docs, events: the sample event of a call names the key
_KEY = "full_access_key_v1"
# Source: response classes of the Python package chargebee 3.29.0.
_NEVER_CHANGED = frozenset({"promotional_credit", "comment", "webhook_endpoint"})
_WITHOUT_VERSION = frozenset({"unbilled_charge"})


class EmulatedSite:
    """A site and everything in it.

    Attributes:
        store: What both vendors remember.
        name: The site's name.
        switches: Behaviours in force.
        money: How this site counts minor units.
        source: What raises events: ``api``, or ``scheduled_job`` while time does something.
        user: The person who raises events; empty while nobody does.
    """

    def __init__(self, store: Store, name: str) -> None:
        self.store = store
        self.name = name
        self.switches: Switches = store.switches
        self.money = UnitCrossing(
            ZERO_DECIMAL[self.switches.text("zero_decimal_currencies")],
            self.switches.text("rounding_tie"),
        )
        self.source = "api"
        self.user = ""
        first = next(iter(store.all(SITES)), None)
        alone = first is None or first["id"] == name
        self._prefix = "chargebee/" if alone else f"chargebee/{name}/"

    @property
    def record(self) -> JsonObject:
        """The site's own settings."""
        return self.store.get(SITES, self.name) or {"id": self.name}

    @property
    def base_currency(self) -> str:
        """The currency of a site without multicurrency, and of customers without one."""
        return str(self.record.get("base_currency_code", "USD"))

    def now(self) -> int:
        """The emulated instant in whole seconds."""
        return int(self.store.now().timestamp())

    def reading(self) -> Strictness:
        """How strictly forms are read."""
        return Strictness(
            refuse_unknown=self.switches.text("unknown_parameters") == "refuse",
            refuse_blank=self.switches.text("blank_parameters") == "refuse",
            custom_fields=frozenset(
                str(config["id"]) for config in self.all("custom_field_config")
            ),
            refuse_custom=self.switches.text("unknown_custom_fields") == "refuse",
        )

    def table(self, kind: str) -> Table:
        """All objects of a kind."""
        return self.store.table(self._prefix + plural(kind))

    def get(self, kind: str, key: str) -> JsonObject | None:
        """One object, or ``None``."""
        return self.store.get(self._prefix + plural(kind), key)

    def need(self, kind: str, key: str, param: str | None = None) -> JsonObject:
        """One object that must be there.

        Raises:
            RefusalError: 404 if it is not.
        """
        found = self.get(kind, key)
        if found is None:
            raise not_found(kind, key, param)
        return found

    def all(self, kind: str) -> Iterator[JsonObject]:
        """Every object of a kind, oldest first."""
        return self.store.all(self._prefix + plural(kind))

    def where(self, kind: str, field: str, value: object) -> list[JsonObject]:
        """Objects whose field equals the value, youngest first."""
        return self.store.where(self._prefix + plural(kind), field, value)

    def put(self, kind: str, data: JsonObject) -> JsonObject:
        """Store an object with its version and time of change, and return it so."""
        stamped = data | self._stamps(kind, data["id"]) | {"object": kind}
        self.store.put(self._prefix + plural(kind), stamped)
        return stamped

    def _stamps(self, kind: str, key: str) -> JsonObject:
        if kind in _NEVER_CHANGED:
            return {}
        if kind in _WITHOUT_VERSION:
            return {"updated_at": self.now()}
        before = self.get(kind, key) or {}
        version = max(int(self.store.now().timestamp() * 1000), before.get("resource_version", 0))
        return {"updated_at": self.now(), "resource_version": version}

    def keep(self, kind: str, data: JsonObject) -> None:
        """Store something that is not a Chargebee resource, as it is."""
        self.store.put(self._prefix + plural(kind), data)

    def remove(self, kind: str, key: str) -> None:
        """Forget an object altogether."""
        self.store.delete(self._prefix + plural(kind), key)

    def new_id(self, prefix: str = "") -> str:
        """A fresh id as Chargebee makes them: a prefix and letters and digits."""
        return prefix + "".join(self.store.random.choices(_ALPHABET, k=16))

    def next_number(self, sequence: str) -> int:
        """The next number of a sequence, from 1; never given twice."""
        number = (self.get("sequence", sequence) or {}).get("next", 1)
        self.keep("sequence", {"id": sequence, "next": number + 1})
        return int(number)

    @contextmanager
    def by_person(self, user: str) -> Iterator[None]:
        """Let a person at the admin console raise the events of a ``with`` block."""
        self.source, self.user = "admin_console", user
        try:
            yield
        finally:
            self.source, self.user = "api", ""

    def raise_event(self, kind: str, content: JsonObject) -> None:
        """Record that something happened; stored objects never change, so this is how they were."""
        number = self.next_number("event")
        self.keep(
            "event",
            {
                "id": self.new_id("ev_"),
                "occurred_at": self.now(),
                "source": self.source,
                **self._named(),
                "object": "event",
                "api_version": "v2",
                "event_type": kind,
                "webhook_status": "not_configured",
                "content": content,
                "_number": number,
            },
        )

    def _named(self) -> JsonObject:
        """Whom an event names: a person, or the key of a call; time itself has no name."""
        named = self.switches.text("event_users")
        if named == "none" or (named == "people" and not self.user):
            return {}
        user = self.user or (_KEY if self.source == "api" else "")
        return {"user": user} if user else {}


def plural(kind: str) -> str:
    """Name of the table that objects of a kind are in."""
    return f"{kind[:-1]}ies" if kind.endswith("family") else f"{kind}s"


def public(data: Any) -> Any:
    """A value as it is shown: without what the emulator keeps for itself, and without nulls."""
    if isinstance(data, dict):
        shown = (
            (name, value) for name, value in data.items() if value is not None and name[:1] != "_"
        )
        return {name: public(member) for name, member in shown}
    if isinstance(data, list):
        return [public(element) for element in data]
    return data
