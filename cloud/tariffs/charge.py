"""The words of a charge item: what it is in law, which fund it belongs to, and what it is measured by.

Pure values; no database. Ledger and billing read the same words, so that a deposit can never be booked as income.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from common.ids import ChargeItemId, CommunityId, LegalEntityId
from common.reading.reading import Resource


class Nature(StrEnum):
    """What the money is in law: income of ours, money collected for another, or money we owe back."""

    REVENUE = "revenue"
    AGENCY = "agency"
    LIABILITY = "liability"


class FundClass(StrEnum):
    """The fund that the money belongs to; funds never mix."""

    OPERATING = "operating"
    DEPOSIT = "deposit"
    MAINTENANCE = "maintenance"
    COMMON_INCOME = "common_income"


class ChargeBasis(StrEnum):
    """What a charge item is measured by, which decides where its quantity comes from.

    The last two are not of a bill run: an amount decided once, and interest on what is overdue.
    """

    AREA = "area"
    METERED = "metered"
    SHARE = "share"
    PARKING = "parking"
    FLAT = "flat"
    ONE_OFF = "one_off"
    LATE = "late"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeItem:
    """A charge item of a community, as billing and ledger see it.

    `resource` names the meters of a metered item and is None otherwise. `tax_rate_micro` is in millionths: 60000 is
    6 %.
    """

    charge_item_id: ChargeItemId
    community_id: CommunityId
    code: str
    name_zh: str
    name_en: str
    basis: ChargeBasis
    resource: Resource | None
    nature: Nature
    fund_class: FundClass
    legal_entity_id: LegalEntityId
    tax_code: str
    tax_rate_micro: int
    bears_late_charge: bool
