"""Late charges: what every overdue debt has come to, less what was charged already, as lines of their own.

*Should* is the rule of the tariff over each debt's own history of payments, *is* the late lines that name the debt.
Where more should be, a line is added; where less, because a payment was dated earlier or a charge corrected, it is
taken back. So a run repeated charges nothing, and nothing is charged on a late charge, a deposit or a disputed bill,
nor on a debt whose agreement to instalments forgives it.
The price is a charge item of basis `late` in the same book; a book without one bears no late charge.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.arrears import covering
from cloud.arrears.rules import LateReckoning, parts_of, reckon
from cloud.billing import service as billing
from cloud.billing import takebacks
from cloud.billing.corrections import Cause
from cloud.billing.documents import Account, BillSummary
from cloud.billing.errors import PreviewChangedError
from cloud.billing.issuing import IssuedBill
from cloud.billing.lines import (
    BillDraft,
    BillKind,
    Charge,
    IssuedLine,
    LineDraft,
    LineKey,
    TariffSource,
    in_print_order,
    net_of,
)
from cloud.billing.specials import Special, issue_special
from cloud.billing.takebacks import Take
from cloud.cases import service as cases
from cloud.cases.case import CaseKind
from cloud.estate import service as estate
from cloud.estate.values import Premises
from cloud.kit.db import Unit
from cloud.ledger import moves
from cloud.ledger import service as ledger
from cloud.ledger.journals import LineRef
from cloud.rating import service as rating
from cloud.rating.inputs import make_input
from cloud.rating.lines import RatingInput, RatingOutcome
from cloud.tariffs import service as tariffs
from cloud.tariffs.assignment import Effect
from cloud.tariffs.book import PriceBook
from cloud.tariffs.charge import ChargeBasis, ChargeItem
from cloud.tariffs.targets import targets_of
from common.civil import Period, civil_day
from common.ids import AccountId, BillId, CommunityId, PremisesId, TariffId
from common.rating.plain import line_to_plain
from common.tariff.canonical import Json
from common.tariff.revision import RevisionRef

ACCOUNTS_AT_ONCE = 500
LOOK_BACK = timedelta(days=400)
LATE_DUE = timedelta(days=15)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LateCharge:
    """What one overdue line has come to; `change_fen` is what is to be charged now, negative to be taken back.

    `lines_before` counts the late lines of the account, those taken back and what took them back included.
    """

    account: Account
    debt: LineRef
    number: str
    due_on: date
    total_fen: int
    charged_fen: int
    lines_before: int
    draft: LineDraft | None
    takes: tuple[Take, ...]
    source: RatingInput | None

    @property
    def change_fen(self) -> int:
        """Return what is to be charged, or with a minus sign taken back."""
        return self.total_fen - self.charged_fen


@dataclass(frozen=True, slots=True, kw_only=True)
class LatePreview:
    """Every late charge that a run through a day would make, which bills are disputed and left alone, and the hash."""

    through: date
    charges: tuple[LateCharge, ...]
    disputed: tuple[str, ...]
    total_fen: int
    sha: bytes


async def preview(session: AsyncSession, community_id: CommunityId, through: date, known_at: datetime) -> LatePreview:
    """Return what a run through a day, inclusive, would charge, read-only."""
    desk = await _desk(session, community_id, through, known_at)
    charges: list[LateCharge] = []
    disputed: set[str] = set()
    accounts = await billing.accounts_in(session, community_id)
    touched = await moves.lines_moved(session, community_id, Period(through - LOOK_BACK, through + _DAY))
    for start in range(0, len(accounts), ACCOUNTS_AT_ONCE):
        found, left_alone = await _of_accounts(session, desk, accounts[start : start + ACCOUNTS_AT_ONCE], touched)
        charges += found
        disputed |= left_alone
    said = sorted(f"{one.account.account_id} {one.debt.bill_id}/{one.debt.n} {one.change_fen}" for one in charges)
    return LatePreview(
        through=through,
        charges=tuple(charges),
        disputed=tuple(sorted(disputed)),
        total_fen=sum(one.change_fen for one in charges),
        sha=hashlib.sha256("\n".join([through.isoformat(), *said]).encode()).digest(),
    )


async def charge(
    unit: Unit, community_id: CommunityId, through: date, *, preview_sha: bytes | None = None
) -> tuple[IssuedBill, ...]:
    """Charge what overdue lines have come to through a day; again it charges nothing.

    Raises:
        PreviewChangedError: a preview was approved and the outcome is not what it showed.
    """
    found = await preview(unit.session, community_id, through, unit.now)
    if preview_sha is not None and found.sha != preview_sha:
        raise PreviewChangedError
    community = await estate.community(unit.session, community_id)
    issued: list[IssuedBill] = []
    takes = [take for one in found.charges for take in one.takes]
    if takes:
        issued += await takebacks.take_back(
            unit,
            community_id,
            cause=Cause.LATE,
            reason="违约金随付款更正 the late charge follows the payments",
            takes=takes,
        )
    documents = _documents(found.charges)
    if documents:
        inputs = tuple(one.source for one in found.charges if one.source is not None)
        await rating.keep(unit, community_id, RatingOutcome(items=(), exceptions=(), inputs=inputs))
    for before, drafts in sorted(documents.items()):
        first = min(line.key.service_start for draft in drafts for line in draft.lines)
        special = Special(
            cycle=f"late:{through.isoformat()}:{before}",
            kind=BillKind.LATE,
            period=Period(first, through + _DAY),
            due_on=civil_day(unit.now, community.zone) + LATE_DUE,
        )
        issued += await issue_special(unit, community, special, drafts)
    return tuple(issued)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """What all debts of a community are looked at with."""

    through: date
    prices: PriceBook
    items: tuple[ChargeItem, ...]
    places: Mapping[PremisesId, Premises]


async def _desk(session: AsyncSession, community_id: CommunityId, through: date, known_at: datetime) -> _Desk:
    prices = await tariffs.price_book(session, community_id, known_at)
    return _Desk(
        through=through,
        prices=prices,
        items=tuple(item for item in prices.items.values() if item.basis is ChargeBasis.LATE),
        places={one.id: one for one in await estate.premises_in(session, community_id, day=through)},
    )


async def _of_accounts(
    session: AsyncSession, desk: _Desk, accounts: Sequence[Account], touched: set[LineRef]
) -> tuple[list[LateCharge], set[str]]:
    ids = [account.account_id for account in accounts]
    owners = {account.account_id: account for account in accounts}
    balances = await ledger.line_balances(session, ids)
    issued = await billing.issued_at(session, [line for line, fen in balances.items() if fen > 0 or line in touched])
    debts = {
        line: (summary, draft)
        for line, (summary, draft) in issued.items()
        if draft.charge.bears_late_charge and draft.fen > 0 and summary.due_on < desk.through
    }
    charged = await billing.lines_charged_by(session, ids, ChargeBasis.LATE)
    late = _late_by_debt(charged)
    open_cases = await cases.open_about(session, {line.bill_id for line in debts})
    disputed = {case.object_id for case in open_cases if case.kind is CaseKind.DISPUTE}
    forgiven = await covering.without_late_charge(session, ids)
    history = await moves.moves_of(session, debts)
    found: list[LateCharge] = []
    for line, (summary, draft) in debts.items():
        if line.bill_id in disputed or line in forgiven:
            continue
        price = _price(desk, owners[summary.account_id], draft, summary.due_on)
        if price is None:
            continue
        item, tariff_id, ref = price
        parts = parts_of(history[line], desk.through)
        key = f"{summary.number}/{line.n}"
        reckoning = reckon(desk.prices.compiled[ref.body_sha], key, draft.charge.nature.value, summary.due_on, parts)
        one = _late_charge(
            desk, (owners[summary.account_id], line, summary), (item, tariff_id, ref), reckoning, late.get(line, [])
        )
        if one.change_fen:
            found.append(replace(one, lines_before=len(charged.get(summary.account_id, ()))))
    return found, {debts[line][0].number for line in debts if line.bill_id in disputed}


def _late_by_debt(lines: Mapping[AccountId, Sequence[IssuedLine]]) -> dict[LineRef, list[IssuedLine]]:
    found: dict[LineRef, list[IssuedLine]] = {}
    for own in lines.values():
        for entry in own:
            bill_id, _, n = entry.line.key.subject.partition("/")
            found.setdefault(LineRef(bill_id=BillId(UUID(bill_id)), n=int(n)), []).append(entry)
    return found


def _price(
    desk: _Desk, account: Account, draft: LineDraft, due_on: date
) -> tuple[ChargeItem, TariffId, RevisionRef] | None:
    """Return the late charge item of the line's book with the tariff that holds on the due day, or None."""
    place = desk.places.get(account.premises_id)
    if place is None:
        return None
    book = (draft.charge.legal_entity_id, draft.charge.fund_class)
    for item in desk.items:
        if (item.legal_entity_id, item.fund_class) != book:
            continue
        said = desk.prices.assignments.assigned(item.charge_item_id, targets_of(place), due_on)
        if said is not None and said.effect is Effect.CHARGE and said.tariff_id is not None:
            return item, said.tariff_id, desk.prices.revision_on(said.tariff_id, due_on)
    return None


def _late_charge(
    desk: _Desk,
    debt: tuple[Account, LineRef, BillSummary],
    price: tuple[ChargeItem, TariffId, RevisionRef],
    reckoning: LateReckoning | None,
    late: Sequence[IssuedLine],
) -> LateCharge:
    account, line, summary = debt
    total_fen = 0 if reckoning is None else reckoning.line.amount_fen
    charged_fen = sum(entry.line.fen for entry in late)
    source = None if reckoning is None else _source(price, reckoning)
    draft = None
    if reckoning is not None and source is not None and total_fen > charged_fen:
        service = _service(desk.through, summary.due_on, late)
        draft = _line(price, line, service, (reckoning, source), charged_fen)
    return LateCharge(
        account=account,
        debt=line,
        number=summary.number,
        due_on=summary.due_on,
        total_fen=total_fen,
        charged_fen=charged_fen,
        lines_before=len(late),
        draft=draft,
        takes=_takes(late, charged_fen - total_fen),
        source=source if draft is not None else None,
    )


def _service(through: date, due_on: date, late: Sequence[IssuedLine]) -> Period:
    """Return the days that a line adds: since the last one, at least the day itself."""
    start = max([due_on + _DAY, *(entry.line.key.service_end for entry in late)])
    return Period(min(start, through), through + _DAY)


def _source(price: tuple[ChargeItem, TariffId, RevisionRef], reckoning: LateReckoning) -> RatingInput:
    item, _, ref = price
    lines: list[Json] = [
        {"charge": item.code, "tariff": ref.body_sha, "request": request.to_plain(), "line": sha}
        for request, sha in zip(reckoning.requests, reckoning.input_shas, strict=True)
    ]
    return make_input({"late": item.code, "lines": lines})


def _line(
    price: tuple[ChargeItem, TariffId, RevisionRef],
    debt: LineRef,
    service: Period,
    ground: tuple[LateReckoning, RatingInput],
    charged_fen: int,
) -> LineDraft:
    item, tariff_id, ref = price
    reckoning, source = ground
    fen = reckoning.line.amount_fen - charged_fen
    adjusts = {"was_fen": charged_fen, "now_fen": reckoning.line.amount_fen, "withdrawn": False}
    return LineDraft(
        key=LineKey(
            charge_item_id=item.charge_item_id,
            subject=f"{debt.bill_id}/{debt.n}",
            service_start=service.start,
            service_end=service.end,
        ),
        charge=Charge(
            charge_code=item.code,
            name_zh=item.name_zh,
            name_en=item.name_en,
            basis=item.basis.value,
            nature=item.nature,
            fund_class=item.fund_class,
            legal_entity_id=item.legal_entity_id,
            tax_code=item.tax_code,
            tax_rate_micro=item.tax_rate_micro,
            bears_late_charge=False,
        ),
        fen=fen,
        net_fen=net_of(fen, item.tax_rate_micro),
        quantity_milli=None,
        price_micro=None,
        tariff=TariffSource(
            tariff_id=tariff_id,
            tariff_code=ref.tariff_code,
            effective_from=ref.effective_from,
            rev=ref.rev,
            body_sha=ref.body_sha,
        ),
        input_sha=source.sha,
        estimated=False,
        trace={"line": line_to_plain(reckoning.line), **({"adjusts": adjusts} if charged_fen else {})},
    )


def _takes(late: Sequence[IssuedLine], fen: int) -> tuple[Take, ...]:
    """Return how an amount is taken back from late lines, the newest first."""
    stands = {entry.ref: entry.line.fen for entry in late if entry.line.fen > 0}
    for entry in late:
        if entry.line.fen < 0 and entry.line.corrects in stands:
            stands[entry.line.corrects] += entry.line.fen
    takes: list[Take] = []
    for ref, standing_fen in reversed(stands.items()):
        part = min(fen, standing_fen)
        if part > 0:
            takes.append(Take(line=ref, fen=part))
            fen -= part
    return tuple(takes)


def _documents(charges: Sequence[LateCharge]) -> dict[int, list[BillDraft]]:
    """Return a document for each account, by how many late lines the account has.

    The count stands in the key of the document: two runs at once see the same and issue one, while a run that finds an
    earlier charge taken back may charge again through the same day.
    """
    by_account: dict[tuple[int, AccountId], list[LineDraft]] = {}
    for one in charges:
        if one.draft is not None:
            by_account.setdefault((one.lines_before, one.account.account_id), []).append(one.draft)
    documents: dict[int, list[BillDraft]] = {}
    for (before, account_id), lines in sorted(by_account.items()):
        documents.setdefault(before, []).append(BillDraft(account_id=account_id, lines=in_print_order(lines)))
    return documents
