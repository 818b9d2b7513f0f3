"""Errors that keep one object out of the plan; the others are planned, and the run ends with 10."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.errors import InvalidError
from reconciler.kernel.address import Address, FieldPath
from reconciler.kernel.problem import Origin
from reconciler.plan.model.plan import Unplanned


class UnplannableError(InvalidError):
    """Nothing of one object can be planned.

    Attributes:
        address: The object.
        what: What happened, in one line.
        hint: What to do next.
        origin: Where in git.
    """

    def __init__(self, address: Address, what: str, hint: str, origin: Origin | None) -> None:
        place = f"{origin}: " if origin else ""
        super().__init__(f"{place}{address}: {what}\nNothing of it is planned. {hint}")
        self.address = address
        self.what = what
        self.hint = hint
        self.origin = origin

    def as_unplanned(self) -> Unplanned:
        """Give the error as a value of the plan."""
        return Unplanned(self.address, self.what, self.hint, self.origin)


class UnresolvedReferenceError(UnplannableError):
    """A code, an address or a credential's name stands for nothing in this organisation."""

    def __init__(
        self, address: Address, kind: str, names: Iterable[str], origin: Origin | None
    ) -> None:
        listed = ", ".join(f"`{name}`" for name in names)
        super().__init__(
            address,
            f"m3ter has no {kind} {listed}",
            "Correct the name, or create it in m3ter first.",
            origin,
        )


class SeveralCredentialsError(UnplannableError):
    """Two credentials of the organisation bear one name."""

    def __init__(
        self, address: Address, name: str, ids: Iterable[str], origin: Origin | None
    ) -> None:
        super().__init__(
            address,
            f"several integration credentials are named `{name}`: {', '.join(ids)}",
            "Write `{id: …}` instead of `{name: …}` in the environment's `credentials`.",
            origin,
        )


class CredentialsHiddenError(UnplannableError):
    """The organisation does not list its credentials, so a name cannot be looked up."""

    def __init__(self, address: Address, name: str, origin: Origin | None) -> None:
        super().__init__(
            address,
            f"this organisation does not list integration credentials, so `{name}` has no id",
            "Write `{id: …}` instead of `{name: …}` in the environment's `credentials`.",
            origin,
        )


class LookalikeKeyError(UnplannableError):
    """A key of ``configData`` looks like a modelled setting, and the dialect says otherwise."""

    def __init__(
        self, address: Address, key: str, path: FieldPath, known: str, origin: Origin | None
    ) -> None:
        spelled = f"spells it `{known}`" if known else "has no key for it"
        super().__init__(
            address,
            f"the configData key `{key}` looks like `{path}`, but the dialect {spelled}",
            "Run `reconciler discover`, or correct the dialect by hand.",
            origin,
        )


class FixedFieldError(UnplannableError):
    """Destination or entity type of an existing configuration would change."""

    def __init__(
        self, address: Address, field: str, live: str, wanted: str, origin: Origin | None
    ) -> None:
        super().__init__(
            address,
            f"`{field}` is {live} in m3ter and {wanted} in git, and cannot be changed",
            "Define a new integration under another name, and let the old one go.",
            origin,
        )


class SeveralMatchesError(UnplannableError):
    """Several live objects bear the natural key of one address."""

    def __init__(
        self, address: Address, key: Iterable[str], ids: Iterable[str], origin: Origin | None
    ) -> None:
        super().__init__(
            address,
            f"several objects in m3ter are ({', '.join(part for part in key if part)}): "
            f"{', '.join(ids)}",
            "Remove all but one, or bind one of them with `reconciler adopt`.",
            origin,
        )


class SharedObjectError(UnplannableError):
    """Two addresses mean one object."""

    def __init__(self, address: Address, other: Address, origin: Origin | None) -> None:
        super().__init__(
            address,
            f"{other} means the same object in m3ter",
            "Keep one of the two definitions.",
            origin,
        )
