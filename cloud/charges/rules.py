"""The decisions of charges, pure: the tariff of a plain amount, who is covered, how a total falls on households."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from cloud.charges.values import Coverage, HouseholdShare, Sharing, Unshared
from cloud.estate.kinds import Fact
from cloud.estate.values import Premises
from cloud.tariffs.charge import ChargeBasis, FundClass, Nature
from cloud.tariffs.targets import targets_of
from common.errors import ensure
from common.ids import PremisesId
from common.measure.quantity import MILLI
from common.money.amount import format_minor
from common.money.split import split_by_weight

FORMAT = "gatehouse-tariff/1"
SHARE_LABEL = {"zh": "分摊", "en": "share"}


class ChargeKind(StrEnum):
    """What a new charge item is, in the words of an office; the rest follows from it."""

    SERVICE = "service"
    AGENCY = "agency"
    MAINTENANCE = "maintenance"
    COMMON_INCOME = "common_income"
    DEPOSIT = "deposit"
    LATE = "late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a kind of charge is in law, which fund it belongs to, and whether it may bear a late charge."""

    nature: Nature
    fund_class: FundClass
    bears_late_charge: bool


STANDINGS: Mapping[ChargeKind, Standing] = MappingProxyType(
    {
        ChargeKind.SERVICE: Standing(nature=Nature.REVENUE, fund_class=FundClass.OPERATING, bears_late_charge=True),
        ChargeKind.AGENCY: Standing(nature=Nature.AGENCY, fund_class=FundClass.OPERATING, bears_late_charge=False),
        ChargeKind.MAINTENANCE: Standing(
            nature=Nature.LIABILITY, fund_class=FundClass.MAINTENANCE, bears_late_charge=False
        ),
        ChargeKind.COMMON_INCOME: Standing(
            nature=Nature.REVENUE, fund_class=FundClass.COMMON_INCOME, bears_late_charge=False
        ),
        ChargeKind.DEPOSIT: Standing(nature=Nature.LIABILITY, fund_class=FundClass.DEPOSIT, bears_late_charge=False),
        ChargeKind.LATE: Standing(nature=Nature.REVENUE, fund_class=FundClass.OPERATING, bears_late_charge=False),
    }
)
ensure(set(STANDINGS) == set(ChargeKind), "every kind of charge says what it is in law")
_PER_MONTH = {ChargeBasis.FLAT: "1", ChargeBasis.AREA: "area"}
_WEIGHTS = {
    Sharing.BY_HOUSEHOLD: "1",
    Sharing.BY_AREA: "area",
    Sharing.BY_PERSONS: "persons",
    Sharing.BY_COEFFICIENT: "coefficient",
}
_FACTS = {Sharing.BY_AREA: Fact.AREA, Sharing.BY_PERSONS: Fact.PERSONS, Sharing.BY_COEFFICIENT: Fact.COEFFICIENT}
_FACT_WORDS = {
    Fact.AREA: ("建筑面积", "built-up area"),
    Fact.PERSONS: ("人数", "count of persons"),
    Fact.COEFFICIENT: ("收费系数", "coefficient"),
}


def monthly_document(code: str, name_zh: str, name_en: str, basis: ChargeBasis, price_yuan: str) -> dict[str, Any]:
    """Return the tariff of an amount a month: for each household, or for each square metre; the price is in yuan."""
    ensure(basis in _PER_MONTH, f"a plain amount a month is not charged by {basis}")
    label = {"zh": name_zh, "en": name_en}
    charge = {"key": "fee", "label": label, "quantity": _PER_MONTH[basis], "per": "month", "price": price_yuan}
    return {"format": FORMAT, "code": code, "name": label, "charges": [charge]}


def one_off_document(code: str, name_zh: str, name_en: str, amount_fen: int, sharing: Sharing) -> dict[str, Any]:
    """Return the tariff of an amount decided once, with the rule by which a total is shared."""
    label = {"zh": name_zh, "en": name_en}
    charge = {"key": "amount", "label": label, "amount": format_minor(amount_fen)}
    document: dict[str, Any] = {
        "format": FORMAT,
        "code": code,
        "name": label,
        "proration": "none",
        "charges": [charge],
    }
    if sharing is not Sharing.EACH:
        document["share"] = {"weight": _WEIGHTS[sharing], "label": SHARE_LABEL}
    return document


def covered(
    premises: Iterable[Premises], coverage: Coverage, groups: Mapping[str, Collection[PremisesId]]
) -> list[Premises]:
    """Return the premises that a coverage holds, in the order given; one that names nothing holds all."""
    if not coverage.targets and not coverage.groups:
        return list(premises)
    members = {premises_id for code in coverage.groups for premises_id in groups[code]}
    wanted = set(coverage.targets)
    return [one for one in premises if one.id in members or wanted.intersection(targets_of(one))]


def shared(
    premises: Collection[Premises], sharing: Sharing, amount_fen: int
) -> tuple[tuple[HouseholdShare, ...], tuple[Unshared, ...]]:
    """Return what each household pays, and who stops the split; with anybody stopping it, nobody has a share.

    The shares of a total sum to it; a fen left over goes to the largest remainder, ties to the smaller id.
    """
    if sharing is Sharing.EACH:
        return tuple(_share(one, MILLI, amount_fen) for one in premises), ()
    weights = {one.id: _weight(one, sharing) for one in premises}
    unknown = tuple(_unshared(one, sharing) for one in premises if not weights[one.id])
    if unknown or not premises:
        return (), unknown
    parts = split_by_weight(amount_fen, {str(one.id): weights[one.id] or 0 for one in premises})
    return tuple(_share(one, weights[one.id] or 0, parts[str(one.id)]) for one in premises), ()


def _weight(one: Premises, sharing: Sharing) -> int | None:
    return MILLI if sharing is Sharing.BY_HOUSEHOLD else one.facts.get(_FACTS[sharing])


def _share(one: Premises, weight_milli: int, fen: int) -> HouseholdShare:
    return HouseholdShare(premises_id=one.id, label=one.label, weight_milli=weight_milli, fen=fen)


def _unshared(one: Premises, sharing: Sharing) -> Unshared:
    zh, en = _FACT_WORDS[_FACTS[sharing]]
    return Unshared(
        premises_id=one.id,
        label=one.label,
        why_zh=f"{one.label} 的{zh}未知，整笔分摊暂停。",
        why_en=f"the {en} of {one.label} is not known, so the whole split waits",
    )
