"""What the endpoints of charges take and answer."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from cloud.billing.issuing import IssuedBill
from cloud.charges.making import DepositCall, NewCharge, Price, Switch, Words
from cloud.charges.repeating import NextInvoice
from cloud.charges.rules import ChargeKind
from cloud.charges.service import OneOffPreview
from cloud.charges.values import Announcement, ChargeState, Coverage, Group, NewOneOff, OneOff, Sharing
from cloud.deposits.rules import DepositKind
from cloud.kit.errors import MalformedError
from cloud.tariffs.assignment import Target, TargetKind
from cloud.tariffs.charge import ChargeBasis
from common.civil import Period
from common.ids import ChargeItemId, CommunityId, LegalEntityId, PremisesId
from common.reading.reading import Resource

Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
Code = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[a-z0-9][a-z0-9._/-]*$")]
Text = Annotated[str, Field(max_length=2_000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
Yuan = Annotated[str, Field(max_length=20, pattern=r"^(\d{1,9}(\.\d{1,6})?)?$")]
Fen = Annotated[int, Field(gt=0, lt=1 << 50)]
Sha = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


def days_of(start: date, end: date) -> Period:
    """Return the days from a start to the day before an end.

    Raises:
        MalformedError: there are none.
    """
    if start >= end:
        raise MalformedError("the days end before they begin; the end is the first day after them")
    return Period(start, end)


class TargetIn(_In):
    """A thing that a charge is for; the key is empty for the whole community."""

    kind: TargetKind
    key: Annotated[str, Field(max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""


class CoverageIn(_In):
    """Whom a charge is for: targets and groups; neither means everybody."""

    targets: Annotated[list[TargetIn], Field(max_length=1_000)] = []
    groups: Annotated[list[Code], Field(max_length=100)] = []

    def value(self) -> Coverage:
        """Return the coverage as a value."""
        return Coverage(
            targets=tuple(Target(kind=one.kind, key=one.key) for one in self.targets), groups=tuple(self.groups)
        )


class PriceIn(_In):
    """A price: an amount a month in yuan, a tariff document, or the code of a tariff that stands."""

    amount_yuan: Yuan = ""
    document: dict[str, Any] | None = None
    tariff_code: Annotated[str, Field(max_length=80)] = ""

    def value(self) -> Price:
        """Return the price as a value."""
        return Price(amount_yuan=self.amount_yuan, document=self.document, tariff_code=self.tariff_code)


class NewChargeIn(_In):
    """A charge item to be made in one go; with texts it is announced."""

    code: Code
    name_zh: Name
    name_en: Name
    kind: ChargeKind
    basis: ChargeBasis
    resource: Resource | None = None
    legal_entity_id: UUID
    tax_code: Annotated[str, Field(max_length=40)] = ""
    tax_rate_micro: Annotated[int, Field(ge=0, lt=1_000_000)] = 0
    price: PriceIn = PriceIn()
    starts: date
    ends: date | None = None
    coverage: CoverageIn = CoverageIn()
    text_zh: Text = ""
    text_en: Text = ""

    def value(self, charge_item_id: UUID, community_id: CommunityId) -> NewCharge:
        """Return the charge as a value."""
        return NewCharge(
            charge_item_id=ChargeItemId(charge_item_id),
            community_id=community_id,
            code=self.code,
            name_zh=self.name_zh,
            name_en=self.name_en,
            kind=self.kind,
            basis=self.basis,
            resource=self.resource,
            legal_entity_id=LegalEntityId(self.legal_entity_id),
            tax_code=self.tax_code,
            tax_rate_micro=self.tax_rate_micro,
            price=self.price.value(),
            starts=self.starts,
            ends=self.ends,
            coverage=self.coverage.value(),
            words=Words(text_zh=self.text_zh, text_en=self.text_en),
        )


class SwitchIn(_In):
    """Another price for a charge item on some days; afterwards the former holds again."""

    charge_item_id: UUID
    price: PriceIn
    start: date
    end: date
    coverage: CoverageIn = CoverageIn()
    name_zh: Name
    name_en: Name
    text_zh: Text = ""
    text_en: Text = ""

    def value(self, community_id: CommunityId) -> Switch:
        """Return the switch as a value."""
        return Switch(
            community_id=community_id,
            charge_item_id=ChargeItemId(self.charge_item_id),
            price=self.price.value(),
            days=days_of(self.start, self.end),
            coverage=self.coverage.value(),
            name_zh=self.name_zh,
            name_en=self.name_en,
            words=Words(text_zh=self.text_zh, text_en=self.text_en),
        )


class DepositCallIn(_In):
    """A deposit that every covered household is to bring."""

    call_id: UUID
    legal_entity_id: UUID
    kind: DepositKind
    amount_fen: Fen
    purpose: Name
    coverage: CoverageIn = CoverageIn()

    def value(self, community_id: CommunityId) -> DepositCall:
        """Return the call as a value."""
        return DepositCall(
            call_id=self.call_id,
            community_id=community_id,
            legal_entity_id=LegalEntityId(self.legal_entity_id),
            kind=self.kind,
            amount_fen=self.amount_fen,
            purpose=self.purpose,
            coverage=self.coverage.value(),
        )


class CountOut(BaseModel):
    """How many there are."""

    count: int


class IdOut(BaseModel):
    """The id of what was just made."""

    id: UUID


class OneOffIn(_In):
    """A one-off charge to draft; the end is the first day after the days it is about."""

    charge_id: UUID
    charge_item_id: UUID
    name_zh: Name
    name_en: Name
    sharing: Sharing
    amount_fen: Fen
    coverage: CoverageIn = CoverageIn()
    start: date
    end: date
    due_on: date
    reference: Annotated[str, Field(max_length=100)] = ""

    def value(self, community_id: CommunityId) -> NewOneOff:
        """Return the charge as a value."""
        return NewOneOff(
            charge_id=self.charge_id,
            community_id=community_id,
            charge_item_id=ChargeItemId(self.charge_item_id),
            name_zh=self.name_zh,
            name_en=self.name_en,
            sharing=self.sharing,
            amount_fen=self.amount_fen,
            coverage=self.coverage.value(),
            service=days_of(self.start, self.end),
            due_on=self.due_on,
            reference=self.reference,
        )


class OneOffOut(BaseModel):
    """A one-off charge as it stands."""

    charge_id: UUID
    charge_item_id: UUID
    name_zh: str
    name_en: str
    sharing: Sharing
    amount_fen: int
    start: date
    end: date
    due_on: date
    reference: str
    state: ChargeState
    drafted_at: datetime
    issued_at: datetime | None

    @classmethod
    def of(cls, one: OneOff) -> OneOffOut:
        """Return what is answered for a charge."""
        new = one.new
        return cls(
            charge_id=new.charge_id,
            charge_item_id=new.charge_item_id,
            name_zh=new.name_zh,
            name_en=new.name_en,
            sharing=new.sharing,
            amount_fen=new.amount_fen,
            start=new.service.start,
            end=new.service.end,
            due_on=new.due_on,
            reference=new.reference,
            state=one.state,
            drafted_at=one.drafted_at,
            issued_at=one.issued_at,
        )


class ShareOut(BaseModel):
    """What one household pays."""

    premises_id: UUID
    label: str
    weight_milli: int
    fen: int


class OneOffPreviewOut(BaseModel):
    """What issuing would do now; `stops` must be mended first, in both languages."""

    shares: list[ShareOut]
    stops: list[tuple[str, str]]
    total_fen: int
    sha: str

    @classmethod
    def of(cls, found: OneOffPreview) -> OneOffPreviewOut:
        """Return what is answered for a preview."""
        return cls(
            shares=[
                ShareOut(premises_id=one.premises_id, label=one.label, weight_milli=one.weight_milli, fen=one.fen)
                for one in found.shares
            ],
            stops=[
                *((one.why_zh, one.why_en) for one in found.unshared),
                *((f"{label} 没有付费人。", f"{label} has no payer.") for label in found.without_payer),
            ],
            total_fen=found.total_fen,
            sha=found.sha.hex(),
        )


class ShaIn(_In):
    """The hash of the preview that is approved."""

    preview_sha: Sha


class NextInvoiceIn(_In):
    """The invoice by which a pool is shared for the months that follow."""

    amount_fen: Fen
    reference: Name

    def value(self) -> NextInvoice:
        """Return the invoice as a value."""
        return NextInvoice(amount_fen=self.amount_fen, reference=self.reference)


class ReasonIn(_In):
    """Why."""

    reason: Name


class IssuedOut(BaseModel):
    """A document that was issued."""

    bill_id: UUID
    number: str
    total_fen: int

    @classmethod
    def of(cls, bill: IssuedBill) -> IssuedOut:
        """Return what is answered for a document."""
        return cls(bill_id=bill.bill_id, number=bill.number, total_fen=bill.total_fen)


class GroupIn(_In):
    """The name and premises of a group."""

    name: Name
    premises: Annotated[list[UUID], Field(min_length=1, max_length=5_000)]

    def value(self, code: str) -> Group:
        """Return the group as a value."""
        return Group(code=code, name=self.name, premises=frozenset(PremisesId(one) for one in self.premises))


class GroupOut(BaseModel):
    """A group of premises."""

    code: str
    name: str
    premises: list[UUID]

    @classmethod
    def of(cls, group: Group) -> GroupOut:
        """Return what is answered for a group."""
        return cls(code=group.code, name=group.name, premises=sorted(group.premises))


class AnnouncementOut(BaseModel):
    """What residents were told."""

    announcement_id: UUID
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    holds_from: date
    published_at: datetime

    @classmethod
    def of(cls, one: Announcement) -> AnnouncementOut:
        """Return what is answered for an announcement."""
        return cls(
            announcement_id=one.announcement_id,
            title_zh=one.title_zh,
            title_en=one.title_en,
            text_zh=one.text_zh,
            text_en=one.text_en,
            holds_from=one.holds_from,
            published_at=one.published_at,
        )
