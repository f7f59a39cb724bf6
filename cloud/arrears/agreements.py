"""Agreements to pay arrears by instalments: proposed by one, approved by another, kept or broken by what is paid.

A proposal covers all that an account owes past its due day and nobody disputes, and splits it over its days by
largest remainder, so that the instalments sum to the debt. Who proposed it never approves it. Each morning what is
settled of the covered lines is compared with what was to be paid by then; three days late is still kept.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.arrears import letters, repository
from cloud.arrears.tables import AgreementRow
from cloud.arrears.values import (
    AGREEMENT_MOVES,
    REASON_LENGTH_MAX,
    Agreement,
    AgreementState,
    AgreementWish,
    Instalment,
    RelievedLine,
)
from cloud.billing import service as billing
from cloud.cases import service as cases
from cloud.cases.case import CaseKind, CaseReport, OwnerRole
from cloud.estate import service as estate
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError, ForbiddenError, NotFoundError
from cloud.ledger.journals import LineRef
from common.civil import civil_day
from common.errors import RefusalError, ensure
from common.ids import AccountId, BillId, CommunityId
from common.money.split import split_by_weight

GRACE = timedelta(days=3)
FIRST_WITHIN = timedelta(days=62)
LIST_MAX = 300
_MONTHS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an agreement is: what is settled of its debts, and what should be by a day with its grace."""

    settled_fen: int
    wanted_fen: int
    total_fen: int

    @property
    def state(self) -> AgreementState:
        """Return whether it is kept to its end, still in force, or broken."""
        if self.settled_fen == self.total_fen:
            return AgreementState.KEPT
        return AgreementState.AGREED if self.settled_fen >= self.wanted_fen else AgreementState.BROKEN


def plan_of(total_fen: int, parts: int, first_on: date) -> tuple[Instalment, ...]:
    """Return equal instalments a month apart that sum to a debt; the fen left over go to the first ones.

    Raises:
        RefusalError: the debt has fewer fen than instalments.
    """
    if total_fen < parts:
        raise RefusalError("欠款太少, 无需分期; so small a debt is not split")
    fens = split_by_weight(total_fen, dict.fromkeys(range(parts), 1))
    plan = tuple(Instalment(due_on=_months_after(first_on, n), fen=fens[n]) for n in range(parts))
    ensure(sum(one.fen for one in plan) == total_fen, "the instalments of an agreement sum to its debts")
    return plan


async def propose(unit: Unit, wish: AgreementWish) -> Agreement:
    """Propose an agreement over what an account owes; the same id with the same content is the same proposal.

    Raises:
        NotFoundError: there is no such account.
        ConflictError: nothing is overdue, or an agreement is proposed or in force already.
        RefusalError: the first day is past or too far away.
    """
    account = await billing.account(unit.session, wish.account_id)
    await billing.lock_accounts(unit, [wish.account_id])
    known = await repository.agreement(unit.session, wish.agreement_id)
    if known is not None:
        return _same(known, wish)
    community = await estate.community(unit.session, account.community_id)
    today = civil_day(unit.now, community.zone)
    if not today < wish.first_on <= today + FIRST_WITHIN:
        raise RefusalError(f"首期须在今日之后 {FIRST_WITHIN.days} 天内; the first instalment falls within that time")
    standing = {AgreementState.ASKED, AgreementState.AGREED}
    if await repository.agreements_of(unit.session, [wish.account_id], standing):
        raise ConflictError("该账户已有分期协议; an agreement of this account is proposed or in force already")
    owed = [line for lines in (await letters.overdue(unit.session, wish.account_id, today)).values() for line in lines]
    if not owed:
        raise ConflictError("没有可分期的欠费; nothing of this account is overdue and undisputed")
    total_fen = sum(line.open_fen for line in owed)
    row = AgreementRow(
        tenant_id=unit.tenant,
        community_id=account.community_id,
        agreement_id=wish.agreement_id,
        account_id=wish.account_id,
        lines=[[str(line.bill_id), line.n, line.open_fen] for line in owed],
        plan=[[one.due_on.isoformat(), one.fen] for one in plan_of(total_fen, wish.parts, wish.first_on)],
        total_fen=total_fen,
        late_rule=wish.late_rule,
        reason=wish.reason,
        state=AgreementState.ASKED,
        asked_at=unit.now,
        asked_by=unit.actor.id,
        note="",
    )
    unit.session.add(row)
    await unit.session.flush()
    unit.record("proposed", "instalment_agreement", wish.agreement_id, after={"total_fen": total_fen})
    return _agreement(row)


async def decide(unit: Unit, agreement_id: UUID, *, grants: bool, note: str = "") -> Agreement:
    """Approve or refuse a proposal that somebody else made.

    Raises:
        NotFoundError: there is none.
        ForbiddenError: whoever proposed it may not decide.
        ConflictError: it is decided already, or its first day has passed.
        RefusalError: the note is too long.
    """
    if len(note) > REASON_LENGTH_MAX:
        raise RefusalError(f"a note has at most {REASON_LENGTH_MAX} characters")
    row = await _locked(unit, agreement_id)
    wanted = AgreementState.AGREED if grants else AgreementState.REFUSED
    if wanted not in AGREEMENT_MOVES[row.state]:
        raise ConflictError(f"this agreement is {row.state} already")
    if row.asked_by == unit.actor.id:
        raise ForbiddenError("提出人不能审批; whoever proposed an agreement does not decide on it")
    community = await estate.community(unit.session, row.community_id)
    if grants and _agreement(row).plan[0].due_on < civil_day(unit.now, community.zone):
        raise ConflictError("首期日期已过, 请重新提出; its first day has passed, propose it anew")
    row.state, row.decided_at, row.decided_by, row.note = wanted, unit.now, unit.actor.id, note
    row.ended_at = None if grants else unit.now
    unit.record("decided", "instalment_agreement", agreement_id, after={"state": wanted})
    return _agreement(row)


async def withdraw(unit: Unit, agreement_id: UUID) -> Agreement:
    """Take back a proposal on which nobody has decided.

    Raises:
        NotFoundError: there is none.
        ConflictError: it is decided already.
    """
    row = await _locked(unit, agreement_id)
    if AgreementState.WITHDRAWN not in AGREEMENT_MOVES[row.state]:
        raise ConflictError(f"this agreement is {row.state} already")
    row.state, row.ended_at = AgreementState.WITHDRAWN, unit.now
    unit.record("withdrew", "instalment_agreement", agreement_id)
    return _agreement(row)


async def look(unit: Unit, agreement_id: UUID, today: date) -> Agreement:
    """Note whether an agreement in force is kept to its end or broken; mostly it simply stands on."""
    row = await _locked(unit, agreement_id)
    found = _agreement(row)
    if row.state is not AgreementState.AGREED:
        return found
    state = (await progress(unit.session, found, today)).state
    unit.record("looked at", "instalment_agreement", agreement_id, after={"state": state})
    if state is AgreementState.AGREED:
        return found
    row.state, row.ended_at = state, unit.now
    if state is AgreementState.BROKEN:
        await cases.raise_case(unit, _broken(found))
    return _agreement(row)


async def progress(session: AsyncSession, agreement: Agreement, today: date) -> Progress:
    """Return how far an agreement is on a day: what a payment, a credit or relief settled counts."""
    open_fen = {line.ref: line.open_fen for line in await billing.open_lines(session, agreement.account_id)}
    left_fen = sum(min(line.fen, open_fen.get(line.line, 0)) for line in agreement.lines)
    return Progress(
        settled_fen=agreement.total_fen - left_fen,
        wanted_fen=sum(one.fen for one in agreement.plan if one.due_on + GRACE < today),
        total_fen=agreement.total_fen,
    )


async def agreement(session: AsyncSession, agreement_id: UUID) -> Agreement:
    """Return an agreement.

    Raises:
        NotFoundError: there is none.
    """
    row = await repository.agreement(session, agreement_id)
    if row is None:
        raise NotFoundError("there is no such agreement")
    return _agreement(row)


async def of_accounts(session: AsyncSession, account_ids: list[AccountId]) -> tuple[Agreement, ...]:
    """Return the agreements of some accounts, the newest first."""
    rows = await repository.agreements_of(session, account_ids, set(AgreementState))
    return tuple(_agreement(row) for row in sorted(rows, key=lambda one: one.asked_at, reverse=True))


async def in_community(session: AsyncSession, community_id: CommunityId) -> tuple[Agreement, ...]:
    """Return up to `LIST_MAX` agreements of a community, the newest first."""
    return tuple(_agreement(row) for row in await repository.agreements_in(session, community_id, LIST_MAX))


async def _locked(unit: Unit, agreement_id: UUID) -> AgreementRow:
    row = await repository.agreement(unit.session, agreement_id, lock=True)
    if row is None:
        raise NotFoundError("there is no such agreement")
    return row


def _same(row: AgreementRow, wish: AgreementWish) -> Agreement:
    known = _agreement(row)
    said = (known.account_id, len(known.plan), known.plan[0].due_on, known.late_rule, known.reason)
    if said != (wish.account_id, wish.parts, wish.first_on, wish.late_rule, wish.reason):
        raise ConflictError("this agreement was proposed with other content; nothing was changed, begin a new one")
    return known


def _months_after(first: date, months: int) -> date:
    year, month = divmod(first.month - 1 + months, _MONTHS)
    year, month = first.year + year, month + 1
    return date(year, month, min(first.day, calendar.monthrange(year, month)[1]))


def _broken(agreement: Agreement) -> CaseReport:
    return CaseReport(
        kind=CaseKind.EXCEPTION,
        reason="instalment_broken",
        origin="arrears",
        object_kind="instalment_agreement",
        object_id=agreement.agreement_id,
        community_id=agreement.community_id,
        owner_role=OwnerRole.CASHIER,
        detail_zh="分期协议未按期履行, 已恢复催缴, 违约金从应缴日起计",
        detail_en="an instalment was missed; reminders go on and late charges count from the due day",
        figures={"total_fen": agreement.total_fen},
    )


def _agreement(row: AgreementRow) -> Agreement:
    return Agreement(
        agreement_id=row.agreement_id,
        community_id=row.community_id,
        account_id=AccountId(row.account_id),
        lines=tuple(
            RelievedLine(line=LineRef(bill_id=BillId(UUID(bill_id)), n=n), fen=fen) for bill_id, n, fen in row.lines
        ),
        plan=tuple(Instalment(due_on=date.fromisoformat(day), fen=fen) for day, fen in row.plan),
        late_rule=row.late_rule,
        reason=row.reason,
        state=row.state,
        asked_at=row.asked_at,
        asked_by=row.asked_by,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        ended_at=row.ended_at,
        note=row.note,
    )
