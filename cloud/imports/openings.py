"""Balances brought in from an older book: debts as documents of their own, money paid ahead as a balance.

Each goes to whoever is in force on its day, against the opening account of the charge item's book; income was earned
before this book began and is not earned again. Taken back, the same amounts go the other way, unless money has moved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.billing.intake import drafts_by_payer
from cloud.billing.lines import BillDraft, BillKind, in_print_order
from cloud.billing.specials import Special, issue_special
from cloud.estate import service as estate
from cloud.estate.values import Community
from cloud.imports.columns import Record
from cloud.imports.kinds import MadeKind
from cloud.imports.making import Made, Standing
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError
from cloud.ledger import postings
from cloud.ledger import service as ledger
from cloud.ledger.accounts import Book
from cloud.ledger.journals import DocumentKind, DocumentRef, JournalDraft, LineRef, TransferDraft
from cloud.rating import service as rating
from cloud.rating.drafts import Draft
from cloud.rating.inputs import finish
from cloud.rating.lines import RatingOutcome
from cloud.rating.segments import Segment
from cloud.tariffs import service as tariffs
from cloud.tariffs.charge import ChargeItem, FundClass
from cloud.tariffs.service import RevisionDraft
from common.civil import Period, civil_day
from common.errors import Fault
from common.ids import AccountId, BillId, LegalEntityId, PartyId, PremisesId, TariffId
from common.rating.engine import rate
from common.rating.request import RatingRequest
from common.tariff.compile import compile_tariff
from common.tariff.document import parse_tariff
from common.tariff.revision import RevisionRef

_DAY = timedelta(days=1)
_WORDS = {"zh": "期初余额", "en": "balance brought in"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A balance of one party at some premises: above zero it is owed, below it was paid ahead."""

    premises_id: PremisesId
    party_id: PartyId
    item: ChargeItem
    fen: int
    due: date


async def openings_of(
    session: AsyncSession, records: Sequence[Record], known: Standing
) -> tuple[list[Opening], list[Fault]]:
    """Return the balances of rows that can be read, and who of them nobody is in force or has no charge item."""
    items = {item.code: item for item in await tariffs.charge_items(session, known.community.id)}
    payers: dict[date, Mapping[PremisesId, PartyId]] = {}
    found: list[Opening] = []
    faults: list[Fault] = []
    for record in records:
        values = record.values
        place = known.premises.get(values["label"])
        if place is None:
            continue
        due = values["due"]
        if due not in payers:
            spans = await estate.payers(session, known.community.id, Period(due, due + _DAY))
            payers[due] = {span.premises_id: span.party_id for span in spans}
        if values["code"] not in items:
            faults.append(record.fault("收费项 charge item", "there is no such charge item", "make it first"))
        elif place.id not in payers[due]:
            faults.append(record.fault("房号 premises", f"nobody is in force on {due}", "import the owner first"))
        elif items[values["code"]].fund_class is FundClass.DEPOSIT:
            faults.append(record.fault("收费项 charge item", "a deposit is opened as a deposit", "leave the row out"))
        else:
            found.append(
                Opening(
                    premises_id=place.id,
                    party_id=payers[due][place.id],
                    item=items[values["code"]],
                    fen=values["fen"],
                    due=due,
                )
            )
    return found, faults


async def make_openings(unit: Unit, import_id: UUID, openings: Sequence[Opening], community: Community) -> list[Made]:
    """Bring balances in and return what was made."""
    debts = [one for one in openings if one.fen > 0]
    made: list[Made] = []
    if debts:
        outcome = await _rated(unit, import_id, debts, community)
        await rating.keep(unit, community.id, outcome)
        lines = drafts_by_payer(outcome.items)
        accounts = await billing.open_accounts(unit, community.id, set(lines))
        drafts = [
            BillDraft(account_id=one.account_id, lines=in_print_order(lines[one.premises_id, one.party_id]))
            for one in sorted(accounts, key=lambda one: one.account_id)
        ]
        first, last = min(one.due for one in debts), max(one.due for one in debts)
        special = Special(
            cycle=f"opening:{import_id}", kind=BillKind.OPENING, period=Period(first, last + _DAY), due_on=last
        )
        issued = await issue_special(unit, community, special, drafts)
        made += [Made(kind=MadeKind.OPENING_BILL, object_id=bill.bill_id) for bill in issued]
    made += await _ahead(unit, import_id, [one for one in openings if one.fen < 0], community)
    return made


async def _rated(unit: Unit, import_id: UUID, debts: Sequence[Opening], community: Community) -> RatingOutcome:
    document: dict[str, Any] = {
        "format": "gatehouse-tariff/1",
        "code": f"opening/{import_id}",
        "name": _WORDS,
        "proration": "none",
        "facts": {"pool": {"scale": "fen"}},
        "charges": [{"key": "opening", "label": _WORDS, "amount": "pool"}],
    }
    draft = RevisionDraft(
        community_id=community.id,
        document=document,
        effective_from=min(one.due for one in debts),
        basis_document=_WORDS["zh"],
        decided_by=unit.actor.name,
    )
    tariff_id, ref = await tariffs.record_revision(unit, draft)
    compiled = compile_tariff(parse_tariff(document))
    drafts = []
    for one in debts:
        request = RatingRequest(period=Period(one.due, one.due + _DAY), facts={"pool_fen": one.fen})
        drafts.append(Draft(segment=_segment(one, (tariff_id, ref)), request=request, line=rate(compiled, request)))
    items, inputs = finish(drafts)
    return RatingOutcome(items=items, exceptions=(), inputs=inputs)


def _segment(one: Opening, price: tuple[TariffId, RevisionRef]) -> Segment:
    return Segment(
        item=one.item,
        premises_id=one.premises_id,
        party_id=one.party_id,
        service=Period(one.due, one.due + _DAY),
        tariff_id=price[0],
        revision=price[1],
    )


async def _ahead(unit: Unit, import_id: UUID, openings: Sequence[Opening], community: Community) -> list[Made]:
    accounts = {
        (one.premises_id, one.party_id): one.account_id
        for one in await billing.open_accounts(
            unit, community.id, {(one.premises_id, one.party_id) for one in openings}
        )
    }
    made: list[Made] = []
    for n, one in enumerate(openings):
        account_id = accounts[one.premises_id, one.party_id]
        book = _book(community, one.item.legal_entity_id, one.item.fund_class)
        moved = postings.ahead_opened(book, account_id, -one.fen)
        await ledger.post(unit, _journal(unit, community, f"opening:{import_id}:{n}", import_id, (moved,)))
        detail = {"fen": -one.fen, "legal_entity_id": str(book.legal_entity_id), "fund_class": book.fund_class.value}
        made.append(Made(kind=MadeKind.OPENING_AHEAD, object_id=account_id, detail=detail))
    return made


async def undo_debt(unit: Unit, import_id: UUID, bill_id: UUID, community: Community) -> None:
    """Take a debt that was brought in back.

    Raises:
        ConflictError: something was paid or taken back of it.
    """
    view = await billing.bill(unit.session, BillId(bill_id))
    await billing.lock_accounts(unit, [view.account.account_id])
    view = await billing.bill(unit.session, BillId(bill_id))
    if any(line.open_fen != line.line.fen for line in view.lines):
        raise ConflictError(f"money has moved on {view.summary.number}; nothing was taken back")
    moves = tuple(
        postings.debt_unopened(
            _book(community, line.line.charge.legal_entity_id, line.line.charge.fund_class),
            postings.Allocation(
                account_id=view.account.account_id,
                line=LineRef(bill_id=view.summary.bill_id, n=line.n),
                fen=line.line.fen,
            ),
        )
        for line in view.lines
    )
    await ledger.post(unit, _journal(unit, community, f"opening_undone:{bill_id}", import_id, moves))


async def undo_ahead(
    unit: Unit, made: tuple[UUID, int], account_id: UUID, detail: Mapping[str, Any], community: Community
) -> None:
    """Take money paid ahead that was brought in back; `made` is the import and the place of the balance in it.

    Raises:
        GuardError: it was used by now.
    """
    book = _book(community, LegalEntityId(UUID(detail["legal_entity_id"])), FundClass(detail["fund_class"]))
    move = postings.ahead_unopened(book, AccountId(account_id), detail["fen"])
    await ledger.post(unit, _journal(unit, community, f"opening_undone:{made[0]}:{made[1]}", made[0], (move,)))


def _book(community: Community, entity: LegalEntityId, fund: FundClass) -> Book:
    return Book(community_id=community.id, legal_entity_id=entity, fund_class=fund)


def _journal(
    unit: Unit, community: Community, key: str, import_id: UUID, transfers: tuple[TransferDraft, ...]
) -> JournalDraft:
    return JournalDraft(
        idem_key=key,
        kind="opening",
        community_id=community.id,
        business_date=civil_day(unit.now, community.zone),
        document=DocumentRef(kind=DocumentKind.OPENING, document_id=import_id),
        transfers=transfers,
    )
