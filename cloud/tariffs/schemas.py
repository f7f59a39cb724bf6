"""What the tariff endpoints take and answer."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from cloud.tariffs.assignment import Effect, Target, TargetKind
from cloud.tariffs.book import PriceBook
from cloud.tariffs.charge import ChargeBasis, ChargeItem, FundClass, Nature
from cloud.tariffs.service import AssignmentDraft, RevisionDraft
from cloud.tariffs.trial import Change
from common.ids import ChargeItemId, CommunityId, LegalEntityId, TariffId
from common.rating.explain import explain
from common.rating.line import RatedLine
from common.rating.plain import line_to_plain
from common.reading.reading import Resource

Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
Code = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[a-z0-9][a-z0-9._/-]*$")]
TargetKey = Annotated[str, Field(max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")]

REQUESTS_MAX = 1_000


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ChargeItemIn(_In):
    """A charge item to add; `tax_rate_micro` is in millionths, 60000 for 6 %."""

    code: Code
    name_zh: Name
    name_en: Name
    basis: ChargeBasis
    resource: Resource | None = None
    nature: Nature
    fund_class: FundClass
    legal_entity_id: UUID
    tax_code: Annotated[str, Field(max_length=40, pattern=r"^[^\x00-\x1f\x7f]*$")]
    tax_rate_micro: Annotated[int, Field(ge=0, lt=1_000_000)]
    bears_late_charge: bool = False

    def item(self, charge_item_id: UUID, community_id: CommunityId) -> ChargeItem:
        """Return the charge item as a value."""
        return ChargeItem(
            charge_item_id=ChargeItemId(charge_item_id),
            community_id=community_id,
            code=self.code,
            name_zh=self.name_zh,
            name_en=self.name_en,
            basis=self.basis,
            resource=self.resource,
            nature=self.nature,
            fund_class=self.fund_class,
            legal_entity_id=LegalEntityId(self.legal_entity_id),
            tax_code=self.tax_code,
            tax_rate_micro=self.tax_rate_micro,
            bears_late_charge=self.bears_late_charge,
        )


class ChargeItemOut(ChargeItemIn):
    """A charge item."""

    id: UUID

    @classmethod
    def of(cls, item: ChargeItem) -> ChargeItemOut:
        """Return what is answered for a charge item."""
        return cls(
            id=item.charge_item_id,
            code=item.code,
            name_zh=item.name_zh,
            name_en=item.name_en,
            basis=item.basis,
            resource=item.resource,
            nature=item.nature,
            fund_class=item.fund_class,
            legal_entity_id=item.legal_entity_id,
            tax_code=item.tax_code,
            tax_rate_micro=item.tax_rate_micro,
            bears_late_charge=item.bears_late_charge,
        )


class RevisionIn(_In):
    """A tariff document to record as a revision; without a day it holds from the day the document names."""

    document: dict[str, Any]
    effective_from: date | None = None
    basis_document: Name

    def draft(self, community_id: CommunityId, decided_by: str) -> RevisionDraft:
        """Return the revision as a value."""
        return RevisionDraft(
            community_id=community_id,
            document=self.document,
            effective_from=self.effective_from,
            basis_document=self.basis_document,
            decided_by=decided_by,
        )


class CalendarIn(_In):
    """The official notice of one year to record: days off, swapped workdays and statutory days."""

    document: dict[str, Any]
    basis_document: Name


class CalendarOut(BaseModel):
    """The newest official notice of a year."""

    year: int
    document: dict[str, Any]


class RevisionOut(BaseModel):
    """One revision of a tariff; an empty hash withdraws."""

    tariff_id: UUID
    tariff_code: str
    effective_from: date
    rev: int
    body_sha: str

    @classmethod
    def all_of(cls, book: PriceBook) -> list[RevisionOut]:
        """Return every revision of a price book, by tariff and day."""
        return [
            cls(
                tariff_id=tariff_id,
                tariff_code=known.ref.tariff_code,
                effective_from=known.ref.effective_from,
                rev=known.ref.rev,
                body_sha=known.ref.body_sha,
            )
            for tariff_id, revisions in sorted(book.revisions.items(), key=lambda pair: pair[1][0].ref.tariff_code)
            for known in revisions
        ]


class WithdrawalIn(_In):
    """Which revision is withdrawn, and on what basis."""

    effective_from: date
    basis_document: Name


class AssignmentIn(_In):
    """A charge item to be priced for a target from a day on; the key is empty for the whole community."""

    charge_item_id: UUID
    target_kind: TargetKind
    target_key: TargetKey = ""
    effective_from: date
    effect: Effect = Effect.CHARGE
    tariff_id: UUID | None = None

    def draft(self, community_id: CommunityId) -> AssignmentDraft:
        """Return the assignment as a value."""
        return AssignmentDraft(
            community_id=community_id,
            charge_item_id=ChargeItemId(self.charge_item_id),
            target=Target(kind=self.target_kind, key=self.target_key),
            effective_from=self.effective_from,
            effect=self.effect,
            tariff_id=None if self.tariff_id is None else TariffId(self.tariff_id),
        )


class RevOut(BaseModel):
    """The revision number that was recorded."""

    rev: int


class IdOut(BaseModel):
    """The id of what was just made."""

    id: UUID


class TariffTextIn(_In):
    """A tariff document to be checked; nothing is stored."""

    document: dict[str, Any]


class TariffTextOut(BaseModel):
    """The tariff that a document without a fault says."""

    tariff_code: str
    body_sha: str


class PriceIn(_In):
    """A tariff document and one request, written as for `gatehouse tariff price`; nothing is stored."""

    document: dict[str, Any]
    usage: dict[str, Any]


class PriceOut(BaseModel):
    """What the request costs, in minor units, told in both languages, with its trace."""

    amount_fen: int
    currency: str
    explanation_zh: list[str]
    explanation_en: list[str]
    line: dict[str, Any]

    @classmethod
    def of(cls, line: RatedLine) -> PriceOut:
        """Return what is answered for a line."""
        return cls(
            amount_fen=line.amount_fen,
            currency=line.currency.code,
            explanation_zh=explain(line, "zh"),
            explanation_en=explain(line, "en"),
            line=dict(line_to_plain(line)),
        )


class ComparisonIn(_In):
    """Two tariff documents and requests, each with a `name`; nothing is stored."""

    old: dict[str, Any]
    new: dict[str, Any]
    requests: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=REQUESTS_MAX)]


class ChangeOut(BaseModel):
    """What one request costs under both tariffs, in minor units; empty with the reason where one refuses it."""

    name: str
    old_fen: int | None
    new_fen: int | None
    change_fen: int | None
    reason: str
    reason_zh: str

    @classmethod
    def of(cls, change: Change) -> ChangeOut:
        """Return what is answered for a change."""
        return cls(
            name=change.name,
            old_fen=change.old,
            new_fen=change.new,
            change_fen=change.difference,
            reason=change.reason,
            reason_zh=change.reason_zh,
        )
