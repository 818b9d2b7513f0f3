"""``ADDRESS#path`` as people type it: an object, and perhaps one field of it."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.errors import InvalidError
from reconciler.kernel.address import Address, FieldPath


class AddressSyntaxError(InvalidError):
    """An address cannot be understood."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text!r} is no address; nothing was changed. Addresses are\n"
            "  integration/NAME          mapping/SET/KEY          mapping/SET for all of its rows\n"
            "and a field follows behind `#`: integration/chargebee-uk#chargebee.defaultPriceId"
        )


@dataclass(frozen=True, slots=True)
class Aim:
    """What a decision is about; ``path`` ``None`` is the whole object."""

    address: Address
    path: FieldPath | None = None


def parse_aim(text: str) -> Aim:
    """Read an address, with or without a field.

    Raises:
        AddressSyntaxError: When it is none.
    """
    named, hash_sign, path = text.partition("#")
    kind, _, rest = named.partition("/")
    name, slash, key = rest.partition("/")
    if not name or (hash_sign and not path) or (slash and not key):
        raise AddressSyntaxError(text)
    field = FieldPath(path) if path else None
    if kind == "integration" and not key:
        return Aim(Address("integration", name), field)
    if kind == "mapping":
        return Aim(Address("mapping", name, key), field)
    raise AddressSyntaxError(text)
