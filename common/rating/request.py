"""What is to be rated: the input of the engine as values, and its plain form, whose hash names it.

A plate or a person's name is never part of a request: rating inputs are kept for as long as bills are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, tzinfo
from enum import StrEnum
from fractions import Fraction

from common.civil import Period
from common.clock import require_utc
from common.errors import ensure
from common.tariff.canonical import Json
from common.tariff.daytype import OfficialCalendar


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One stay: UTC instants of entry and exit; an exit that was never seen is None."""

    entry: datetime
    exit: datetime | None

    def __post_init__(self) -> None:
        """Check the instants."""
        require_utc(self.entry, "entry")
        if self.exit is not None:
            require_utc(self.exit, "exit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The visits to price together, in the zone of the car park.

    The first `charged` of them, by entry, stand on earlier lines: this line is what they all cost less what those cost.
    `granted_minutes` are free minutes of a validation coupon for the others; `paid_at` is the instant of a payment
    before the exit, after which the exit grace runs. `zone_name` stands in the input hash for the zone.
    """

    visits: tuple[Visit, ...]
    zone: tzinfo
    zone_name: str
    granted_minutes: int = 0
    paid_at: datetime | None = None
    charged: int = 0

    def __post_init__(self) -> None:
        """Check that a visit is left to charge."""
        ensure(0 <= self.charged < max(1, len(self.visits)), "a session has a visit that is not charged yet")

    @property
    def earlier(self) -> Session:
        """Return the visits that were charged before, as they were: without coupon or payment of the later ones."""
        ordered = sorted(self.visits, key=lambda visit: visit.entry)
        return replace(self, visits=tuple(ordered[: self.charged]), granted_minutes=0, paid_at=None, charged=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Debt:
    """An open amount that may bear a late charge, with its due day and the kind of item it is."""

    key: str
    amount_fen: int
    due: date
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One part of a pool that `share.split_pool` has already split so that all parts sum to it."""

    pool_fen: int
    part_fen: int
    weight: Fraction
    weights: Fraction
    sharers: int

    def __post_init__(self) -> None:
        """Check that the part is one of the pool's."""
        ensure(self.weights > 0, "the weights of a pool sum to more than zero")
        ensure(0 <= self.weight <= self.weights, "a weight is part of the sum")


class SplitCause(StrEnum):
    """Why a period was cut into parts."""

    PRICE = "price"
    PAYER = "payer"
    TIER_YEAR = "tier_year"


class SplitUsage(StrEnum):
    """How the usage of a part was found: between readings at its ends, or spread by days where none stands."""

    READINGS = "readings"
    DAYS = "days"


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Why a part begins where it does (the first: why it ends), and how its usage was found, None without a meter."""

    cause: SplitCause
    usage: SplitUsage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingRequest:
    """The input of one rated line.

    Quantities are milli-units; `prior_milli` is the usage counted since the accumulation began, `carried_milli` the
    fraction left over from the last bill in whole units. Facts are integers whose key names the scale (`area_milli`).
    `anchor` is the day from which months are counted, None for calendar months. `bill` is the whole bill when this
    request is one of its `parts`; `split` says why and how they were parted, for the explanation.
    """

    period: Period
    quantity_milli: int | None = None
    prior_milli: int = 0
    carried_milli: int = 0
    windows_milli: Mapping[str, int] = field(default_factory=dict)
    prior_windows_milli: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, int] = field(default_factory=dict)
    traits: Mapping[str, str] = field(default_factory=dict)
    anchor: date | None = None
    bill: Period | None = None
    part: int = 1
    parts: int = 1
    split: Split | None = None
    session: Session | None = None
    calendar: OfficialCalendar | None = None
    debts: tuple[Debt, ...] = ()
    paid_on: date | None = None
    share: Share | None = None

    def __post_init__(self) -> None:
        """Check the place of the part."""
        ensure(1 <= self.part <= self.parts, "a part is one of its parts")

    def to_plain(self) -> dict[str, Json]:
        """Return the request as plain data; fields that say nothing are left out."""
        plain: dict[str, Json] = {
            "period": str(self.period),
            "quantity_milli": self.quantity_milli,
            "prior_milli": self.prior_milli or None,
            "carried_milli": self.carried_milli or None,
            "windows_milli": dict(self.windows_milli) or None,
            "prior_windows_milli": dict(self.prior_windows_milli) or None,
            "facts": dict(self.facts) or None,
            "traits": dict(self.traits) or None,
            "anchor": self.anchor.isoformat() if self.anchor else None,
            "bill": str(self.bill) if self.bill else None,
            "part": [self.part, self.parts] if self.parts > 1 else None,
            "split": [self.split.cause, self.split.usage] if self.split else None,
            "session": _plain_session(self.session) if self.session else None,
            "calendar": self.calendar.sha if self.calendar else None,
            "debts": [[debt.key, debt.amount_fen, debt.due.isoformat(), debt.kind] for debt in self.debts] or None,
            "paid_on": self.paid_on.isoformat() if self.paid_on else None,
            "share": _plain_share(self.share) if self.share else None,
        }
        return {key: value for key, value in plain.items() if value is not None}


def _plain_session(session: Session) -> dict[str, Json]:
    charged: dict[str, Json] = {"charged": session.charged} if session.charged else {}
    return {
        **charged,
        "visits": [
            [visit.entry.isoformat(), visit.exit.isoformat() if visit.exit else None] for visit in session.visits
        ],
        "zone": session.zone_name,
        "granted_minutes": session.granted_minutes,
        "paid_at": session.paid_at.isoformat() if session.paid_at else None,
    }


def _plain_share(share: Share) -> dict[str, Json]:
    return {
        "pool_fen": share.pool_fen,
        "part_fen": share.part_fen,
        "weight": str(share.weight),
        "weights": str(share.weights),
        "sharers": share.sharers,
    }
