"""What rating hands to billing: rated items, exceptions, and the inputs that replay them.

Values only. A quantity, price, area or share that is not known is an exception here and never an item of zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from cloud.metering.usage import RegisterRef
from cloud.tariffs.charge import ChargeBasis, FundClass, Nature
from common.civil import Period
from common.ids import ChargeItemId, LegalEntityId, MeterId, PartyId, PremisesId, TariffId
from common.rating.line import RatedLine
from common.tariff.revision import RevisionRef


class ExceptionKind(StrEnum):
    """Why something could not be rated."""

    NO_READING = "no_reading"
    HELD_READING = "held_reading"
    BACKWARDS = "backwards"
    NO_METER = "no_meter"
    NO_PRICE = "no_price"
    NO_AREA = "no_area"
    NO_SHARE = "no_share"
    NO_PAYER = "no_payer"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedItem:
    """One rated line of one party for one charge item, with all that billing and ledger need to book it.

    `service` is the part of the period the line covers. `input_sha` names the `RatingInput` that replays it.
    `tax_rate_micro` is in millionths; `line.amount_fen` includes the tax. `quantity_milli` is the usage or area billed,
    so that what was metered can be compared with what was billed; None where nothing is measured.
    """

    premises_id: PremisesId
    party_id: PartyId
    charge_item_id: ChargeItemId
    charge_code: str
    charge_name_zh: str
    charge_name_en: str
    kind: ChargeBasis
    nature: Nature
    fund_class: FundClass
    legal_entity_id: LegalEntityId
    tax_code: str
    tax_rate_micro: int
    bears_late_charge: bool
    service: Period
    line: RatedLine
    tariff_id: TariffId
    revision: RevisionRef
    input_sha: str
    quantity_milli: int | None = None
    meter_id: MeterId | None = None
    from_reading: RegisterRef | None = None
    to_reading: RegisterRef | None = None
    session_id: UUID | None = None
    pool_id: UUID | None = None
    estimated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingException:
    """Something that could not be rated, in both languages; `premises_id` is None when a whole pool is meant."""

    premises_id: PremisesId | None
    charge_item_id: ChargeItemId
    kind: ExceptionKind
    detail_zh: str
    detail_en: str
    object_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingInput:
    """The canonical bytes that replay some lines, named by their SHA-256 in hexadecimal."""

    sha: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Apportionment:
    """What a pool cost over some days; the input lists the weight of each premises."""

    pool_id: UUID
    period: Period
    total_fen: int
    input_sha: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingOutcome:
    """All items and exceptions of a community and period; rated twice from the same knowledge, it is equal."""

    items: tuple[RatedItem, ...]
    exceptions: tuple[RatingException, ...]
    inputs: tuple[RatingInput, ...]
    apportionments: tuple[Apportionment, ...] = ()
