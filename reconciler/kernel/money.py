"""Exact money: whole minor units of one currency, and how many places a currency has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from reconciler.errors import InvalidError, ReconcilerError


@dataclass(frozen=True, slots=True, order=True)
class Currency:
    """A currency as the destination counts it.

    Attributes:
        code: ISO 4217, three capital letters.
        places: Decimal places of its minor unit at the destination, which is not always ISO's.
    """

    code: str
    places: int

    def __str__(self) -> str:
        return self.code


_SIGNS = {"GBP": "£", "USD": "$", "EUR": "€", "JPY": "¥"}


class InexactMoneyError(ReconcilerError):
    """An amount is not a whole number of minor units."""

    def __init__(self, amount: object) -> None:
        super().__init__(f"{amount!r} is not a whole number of minor units; no money was counted")


class CurrencyMismatchError(ReconcilerError):
    """Two amounts of different currencies were put together."""

    def __init__(self, amount: Money, other: Money) -> None:
        super().__init__(f"{amount} and {other} cannot be added: their currencies differ")


class UnknownCurrencyError(InvalidError):
    """A currency is not in the table, so its minor units are not known."""

    def __init__(self, code: str) -> None:
        super().__init__(
            f"the currency {code!r} is not in the table of minor units, so no amount in it can be"
            " sent. Nothing was sent. Use an ISO 4217 code in capital letters"
        )
        self.code = code


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in one currency; negative for credits.

    Attributes:
        minor: Whole minor units: cents for USD, yen for JPY.
        currency: The currency that ``minor`` counts.
    """

    minor: int
    currency: Currency

    def __post_init__(self) -> None:
        """Refuse a float or a bool: both pass for ``int`` until they lose a cent."""
        if type(self.minor) is not int:
            raise InexactMoneyError(self.minor)

    def __add__(self, other: Money) -> Money:
        if self.currency != other.currency:
            raise CurrencyMismatchError(self, other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        return self + -other

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __str__(self) -> str:
        """Write it as people do: ``-£1,234.56``; the code where no sign is unmistakable."""
        minus = "-" if self.minor < 0 else ""
        sign = _SIGNS.get(self.currency.code, f"{self.currency.code} ")
        return f"{minus}{sign}{abs(self.major):,f}"

    @property
    def major(self) -> Decimal:
        """The same amount in major units, exact, with the currency's places."""
        digits = tuple(int(digit) for digit in str(abs(self.minor)))
        return Decimal((int(self.minor < 0), digits, -self.currency.places))


@dataclass(frozen=True, slots=True)
class CurrencyTable:
    """Which currencies are known, and how many places the destination gives them.

    Attributes:
        places: Decimal places by code; a code that is missing is refused.
        disputed: Codes whose places differ from ISO 4217, with ISO's number; drafts say so.
    """

    places: Mapping[str, int]
    disputed: Mapping[str, int]

    def currency(self, code: str) -> Currency:
        """Find a currency.

        Raises:
            UnknownCurrencyError: When the table does not know it.
        """
        if code not in self.places:
            raise UnknownCurrencyError(code)
        return Currency(code, self.places[code])


# Source: ISO 4217 list one (2026), currencies in use; funds, metals and test codes left out.
ISO_CODES = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP "
    "BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP "
    "GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR "
    "KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK "
    "MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR "
    "SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS "
    "UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG"
)
# Source: ISO 4217 list one (2026), minor units other than two.
ISO_WITHOUT_MINOR_UNIT = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
ISO_WITH_THREE_PLACES = "BHD IQD JOD KWD LYD OMR TND"
# Source: Chargebee API docs, "Currencies", zero-decimal currencies; the list as it stands there.
CHARGEBEE_ZERO_DECIMAL = frozenset({"JPY", "KRW", "XAF", "XOF"})


def chargebee_currencies(
    zero_decimal: frozenset[str] = CHARGEBEE_ZERO_DECIMAL,
) -> CurrencyTable:
    """Build Chargebee's table: none for the zero-decimal ones, two for every other.

    Two places also for those with three in ISO 4217 (KWD, BHD).

    Source: Chargebee API docs, "Currencies": values up to two decimal places, times 100.

    Args:
        zero_decimal: The site's zero-decimal currencies. The published list is short and may be
            older than the site: what it says of CLP or VND is not confirmed, so it is a setting.
    """
    places = {code: 0 if code in zero_decimal else 2 for code in ISO_CODES.split()}
    iso = dict.fromkeys(ISO_WITHOUT_MINOR_UNIT.split(), 0)
    iso |= dict.fromkeys(ISO_WITH_THREE_PLACES.split(), 3)
    disputed = {code: iso.get(code, 2) for code in places if iso.get(code, 2) != places[code]}
    return CurrencyTable(places, disputed)
