"""Bills and accounts as other domains and pages see them, and how rows become these values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing.lines import BillKind, Charge, IssuedLine, LineDraft, LineKey, TariffSource
from cloud.billing.tables import AccountRow, BillLineRow, BillRow
from cloud.ledger.journals import LineRef
from cloud.rating.lines import RatingOutcome
from cloud.tariffs.charge import ChargeBasis, FundClass, Nature
from common.civil import Period
from common.ids import (
    AccountId,
    BillId,
    CaseId,
    ChargeItemId,
    CommunityId,
    LegalEntityId,
    PartyId,
    PremisesId,
    TariffId,
)


class Rater(Protocol):
    """The port to rating: what everybody of some premises is to be charged for a period, by what is known then."""

    async def __call__(
        self,
        session: AsyncSession,
        *,
        community_id: CommunityId,
        period: Period,
        known_at: datetime,
        premises: frozenset[PremisesId] | None = None,
    ) -> RatingOutcome:
        """Rate all charge items of the premises, or of the whole community with None."""
        ...


class PastRater(Rater, Protocol):
    """Rating of several periods in one go, each as if it were asked for alone."""

    async def each(
        self,
        session: AsyncSession,
        *,
        community_id: CommunityId,
        periods: Sequence[Period],
        known_at: datetime,
        premises: frozenset[PremisesId] | None = None,
    ) -> tuple[RatingOutcome, ...]:
        """Rate all charge items of the premises for each period, the oldest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What one party owes and pays for one premises; `lookup_code`, printed on bills, opens its dues at a kiosk."""

    account_id: AccountId
    community_id: CommunityId
    premises_id: PremisesId
    party_id: PartyId
    lookup_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLine:
    """A bill line on which something is open; `open_fen` is positive, `late` says that it is a late charge."""

    community_id: CommunityId
    account_id: AccountId
    bill_id: BillId
    number: str
    n: int
    charge_item_id: ChargeItemId
    charge_code: str
    name_zh: str
    name_en: str
    period: Period
    due: date
    open_fen: int
    fund_class: FundClass
    legal_entity_id: LegalEntityId
    late: bool = False

    @property
    def ref(self) -> LineRef:
        """Return the line as the ledger names it."""
        return LineRef(bill_id=self.bill_id, n=self.n)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """A line of a bill with what is open on it; for a credit that is nothing, it lowered the line it corrects."""

    n: int
    line: LineDraft = field(hash=False)
    open_fen: int
    corrected_by: tuple[LineRef, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BillSummary:
    """An issued bill or adjustment in a list; `open_fen` is what is still to be paid on its own lines."""

    bill_id: BillId
    number: str
    kind: BillKind
    account_id: AccountId
    community_id: CommunityId
    period: Period
    issued_at: datetime
    issued_on: date
    due_on: date
    total_fen: int
    open_fen: int
    case_id: CaseId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BillView:
    """An issued bill or adjustment with all its lines."""

    summary: BillSummary
    account: Account
    lines: tuple[LineView, ...]


def account_of(row: AccountRow) -> Account:
    """Return an account row as a value."""
    return Account(
        account_id=AccountId(row.account_id),
        community_id=row.community_id,
        premises_id=PremisesId(row.premises_id),
        party_id=PartyId(row.party_id),
        lookup_code=row.lookup_code,
    )


def line_from_row(row: BillLineRow) -> LineDraft:
    """Return a stored line as the value it was issued from."""
    corrects = None
    if row.corrects_bill_id is not None and row.corrects_n is not None:
        corrects = LineRef(bill_id=BillId(row.corrects_bill_id), n=row.corrects_n)
    return LineDraft(
        key=LineKey(
            charge_item_id=ChargeItemId(row.charge_item_id),
            subject=row.subject,
            service_start=row.service_start,
            service_end=row.service_end,
            component=row.component,
        ),
        charge=Charge(
            charge_code=row.charge_code,
            name_zh=row.name_zh,
            name_en=row.name_en,
            basis=row.basis,
            nature=Nature(row.nature),
            fund_class=FundClass(row.fund_class),
            legal_entity_id=LegalEntityId(row.legal_entity_id),
            tax_code=row.tax_code,
            tax_rate_micro=row.tax_rate_micro,
            bears_late_charge=row.bears_late_charge,
        ),
        fen=row.fen,
        net_fen=row.net_fen,
        quantity_milli=row.quantity_milli,
        price_micro=row.price_micro,
        tariff=TariffSource(
            tariff_id=TariffId(row.tariff_id),
            tariff_code=row.tariff_code,
            effective_from=row.effective_from,
            rev=row.rev,
            body_sha=row.tariff_sha,
        ),
        input_sha=row.input_sha,
        estimated=row.estimated,
        trace=row.trace,
        corrects=corrects,
    )


def issued_line(row: BillLineRow) -> IssuedLine:
    """Return a stored line with its place."""
    return IssuedLine(ref=LineRef(bill_id=BillId(row.bill_id), n=row.n), line=line_from_row(row))


def summary_of(row: BillRow, open_fen: int) -> BillSummary:
    """Return a bill row as it stands in a list."""
    return BillSummary(
        bill_id=BillId(row.bill_id),
        number=row.number,
        kind=BillKind(row.kind),
        account_id=AccountId(row.account_id),
        community_id=row.community_id,
        period=Period(row.period_start, row.period_end),
        issued_at=row.issued_at,
        issued_on=row.issued_on,
        due_on=row.due_on,
        total_fen=row.total_fen,
        open_fen=open_fen,
        case_id=None if row.case_id is None else CaseId(row.case_id),
    )


def open_line_of(bill: BillRow, row: BillLineRow, open_fen: int) -> OpenLine:
    """Return a line on which something is open."""
    return OpenLine(
        community_id=bill.community_id,
        account_id=AccountId(bill.account_id),
        bill_id=BillId(bill.bill_id),
        number=bill.number,
        n=row.n,
        charge_item_id=ChargeItemId(row.charge_item_id),
        charge_code=row.charge_code,
        name_zh=row.name_zh,
        name_en=row.name_en,
        period=Period(row.service_start, row.service_end),
        due=bill.due_on,
        open_fen=open_fen,
        fund_class=FundClass(row.fund_class),
        legal_entity_id=LegalEntityId(row.legal_entity_id),
        late=row.basis == ChargeBasis.LATE,
    )


def line_views(
    bill_id: BillId,
    lines: Mapping[int, LineDraft],
    open_fen: Mapping[LineRef, int],
    correcting: Sequence[BillLineRow],
) -> tuple[LineView, ...]:
    """Return the lines of one bill, given by their numbers, with what is open on them and what corrects them."""
    corrected: dict[Any, list[LineRef]] = {}
    for row in correcting:
        corrected.setdefault(row.corrects_n, []).append(LineRef(bill_id=BillId(row.bill_id), n=row.n))
    return tuple(
        LineView(
            n=n,
            line=line,
            open_fen=open_fen.get(LineRef(bill_id=bill_id, n=n), 0),
            corrected_by=tuple(corrected.get(n, ())),
        )
        for n, line in lines.items()
    )
