"""Bringing letters to their providers, each at most once, and asking what became of them.

    waiting --lease--> sending --taken on--> accepted --told--> delivered
       ^                 |  |                    +----told----> failed
       +-- later --------+  +-- nobody can say, not even when asked --> unknown (never sent again)

A lease is committed before the provider is called and what it answered after it. Who finds a lease that ran out knows
that the call may have been made: he asks, where the provider tells, and never sends again. What was certainly not sent
is tried again on a plan, at decent hours and only while there is reason to.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate import service as estate
from cloud.kit.actor import system_actor
from cloud.kit.calls import Later, Refused, Unknown
from cloud.kit.db import Database, Unit
from cloud.kit.jobs import NewJob
from cloud.kit.runner import JobContext
from cloud.kit.secretbox import SecretBox
from cloud.kit.tables import JsonObject
from cloud.notices import addresses, repository, service
from cloud.notices import provider_accounts as accounts
from cloud.notices.carriers import Carriers
from cloud.notices.kinds import DeliveryState
from cloud.notices.providers.values import Accepted, AskOutcome, Carrier, Delivered, Letter, Question, SendOutcome
from cloud.notices.rules import ASK_AFTER, RETRY_AFTER, pause_before, told_at
from cloud.notices.tables import DeliveryRow, NoticeRow
from common.civil import civil_day
from common.errors import InvariantError
from common.ids import PartyId, TenantId

RETRY = "notices.retry"
LOOK = "notices.look"
LEASE = timedelta(minutes=2)
_REASON_LENGTH_MAX = 300
_ACTOR = system_actor("courier")


class Courier:
    """The sender of every way but the inbox."""

    def __init__(self, database: Database, box: SecretBox, carriers: Carriers) -> None:
        self._database = database
        self._box = box
        self._carriers = carriers

    async def send(self, message_id: UUID, payload: JsonObject) -> str:
        """Bring the letter of an outbox message; further tries are the courier's own jobs."""
        del message_id
        state = await self.bring(TenantId(UUID(str(payload["tenant_id"]))), UUID(str(payload["notice_id"])))
        return f"courier:{payload['notice_id']}:{state}"

    async def bring(self, tenant: TenantId, notice_id: UUID) -> DeliveryState:
        """Send a letter unless it was sent, or may have been."""
        async with self._database.unit(tenant, _ACTOR) as unit:
            row, notice = await _held(unit.session, notice_id)
            if row.state is DeliveryState.SENDING and row.leased_until is not None:
                unit.enqueue(_look_job(row, max(row.leased_until, unit.now)))
            if row.state is not DeliveryState.WAITING:
                unit.record("seen again", "delivery", notice_id, after={"state": row.state.value})
                return row.state
            if not await service.still_due(unit.session, notice):
                _end(unit, row, DeliveryState.FAILED, "已缴或有异议 paid or disputed in the meantime")
                return row.state
            row.state, row.attempts, row.next_at = DeliveryState.SENDING, row.attempts + 1, None
            row.leased_until = unit.now + LEASE
            attempt, letter = row.attempts, self._letter(row, notice)
            carrier = await self._carrier(unit.session, row)
            unit.record("moved", "delivery", notice_id, after={"state": row.state.value})
        outcome = await carrier.send(letter)
        async with self._database.unit(tenant, _ACTOR) as unit:
            row, notice = await _held(unit.session, notice_id)
            if row.state is DeliveryState.SENDING and row.attempts == attempt:
                await _note_sent(unit, row, notice, outcome, tells=carrier.tells)
            unit.record("moved", "delivery", notice_id, after={"state": row.state.value})
            return row.state

    async def look(self, tenant: TenantId, notice_id: UUID) -> DeliveryState:
        """Ask what became of a letter that was taken on, or that may have been sent."""
        async with self._database.view(tenant) as session:
            row, notice = await _read(session, notice_id)
            if row.state not in {DeliveryState.SENDING, DeliveryState.ACCEPTED}:
                return row.state
            carrier = await self._carrier(session, row)
            community = await estate.community(session, notice.community_id)
            address = addresses.opened(self._box, tenant, notice.party_id, row.address_sealed)
            day = civil_day(row.accepted_at or row.leased_until or row.planned_at, community.zone)
            asked, reference = row.asked, row.reference
        question = Question(letter_id=notice_id, to=address, reference=reference, day=day)
        outcome = await carrier.ask(question)
        async with self._database.unit(tenant, _ACTOR) as unit:
            row, _ = await _held(unit.session, notice_id)
            in_hand = row.leased_until is not None and row.leased_until > unit.now
            if in_hand and isinstance(outcome, Unknown):
                unit.enqueue(_look_job(row, row.leased_until))
            elif row.asked == asked and row.state in {DeliveryState.SENDING, DeliveryState.ACCEPTED}:
                _note_asked(unit, row, outcome, tells=carrier.tells)
            unit.record("moved", "delivery", notice_id, after={"state": row.state.value})
            return row.state

    async def retry_job(self, context: JobContext) -> None:
        """Do the job of trying again."""
        await self.bring(context.job.tenant, UUID(str(context.job.payload["notice_id"])))

    async def look_job(self, context: JobContext) -> None:
        """Do the job of asking."""
        await self.look(context.job.tenant, UUID(str(context.job.payload["notice_id"])))

    async def _carrier(self, session: AsyncSession, row: DeliveryRow) -> Carrier:
        return self._carriers.of(await accounts.account(session, row.message_account_id))

    def _letter(self, row: DeliveryRow, notice: NoticeRow) -> Letter:
        return Letter(
            letter_id=notice.notice_id,
            to=addresses.opened(self._box, row.tenant_id, notice.party_id, row.address_sealed),
            kind=notice.kind,
            language=notice.language,
            title=notice.title,
            body=notice.body,
            facts={str(name): str(text) for name, text in notice.facts.items()},
        )


async def _held(session: AsyncSession, notice_id: UUID) -> tuple[DeliveryRow, NoticeRow]:
    return await _read(session, notice_id, lock=True)


async def _read(session: AsyncSession, notice_id: UUID, *, lock: bool = False) -> tuple[DeliveryRow, NoticeRow]:
    row = await repository.delivery(session, notice_id, lock=lock)
    notice = await repository.notice(session, notice_id)
    if row is None or notice is None:
        raise InvariantError("a letter that is to be brought has its notice and its delivery")
    return row, notice


async def _note_sent(unit: Unit, row: DeliveryRow, notice: NoticeRow, outcome: SendOutcome, *, tells: bool) -> None:
    if isinstance(outcome, Accepted):
        _accept(unit, row, outcome.reference)
        if tells:
            _ask_on(unit, row)
    elif isinstance(outcome, Refused):
        _end(unit, row, DeliveryState.FAILED, outcome.reason)
    elif isinstance(outcome, Later):
        await _try_later(unit, row, notice, outcome.reason)
    elif tells:
        row.reason = outcome.reason[:_REASON_LENGTH_MAX]
        _ask_on(unit, row)
    else:
        _end(unit, row, DeliveryState.UNKNOWN, outcome.reason)


def _note_asked(unit: Unit, row: DeliveryRow, outcome: AskOutcome, *, tells: bool) -> None:
    row.asked += 1
    if isinstance(outcome, Delivered):
        _accept(unit, row, outcome.reference or row.reference)
        _end(unit, row, DeliveryState.DELIVERED, "", at=outcome.at)
    elif isinstance(outcome, Refused):
        _end(unit, row, DeliveryState.FAILED, outcome.reason)
    elif isinstance(outcome, Accepted):
        _accept(unit, row, outcome.reference or row.reference)
        _ask_on(unit, row)
    elif not _ask_on(unit, row, tells=tells) and row.state is DeliveryState.SENDING:
        _end(unit, row, DeliveryState.UNKNOWN, row.reason or outcome.reason)


def _accept(unit: Unit, row: DeliveryRow, reference: str) -> None:
    row.state, row.reference, row.reason, row.leased_until = DeliveryState.ACCEPTED, reference, "", None
    row.accepted_at = row.accepted_at or unit.now


def _ask_on(unit: Unit, row: DeliveryRow, *, tells: bool = True) -> bool:
    """Plan the next question and return whether there is one; a call that may have been made is held until then."""
    pause = pause_before(ASK_AFTER, row.asked) if tells else None
    if pause is None:
        return False
    at = unit.now + pause
    if row.state is DeliveryState.SENDING:
        row.leased_until = at
    unit.enqueue(_look_job(row, at))
    return True


async def _try_later(unit: Unit, row: DeliveryRow, notice: NoticeRow, reason: str) -> None:
    pause = pause_before(RETRY_AFTER, row.attempts - 1)
    if pause is None:
        _end(unit, row, DeliveryState.FAILED, f"{reason} ({row.attempts} tries)")
        return
    community = await estate.community(unit.session, notice.community_id)
    wish = await service.wish_of(unit.session, PartyId(notice.party_id))
    row.state, row.leased_until, row.reason = DeliveryState.WAITING, None, reason[:_REASON_LENGTH_MAX]
    row.next_at = told_at(unit.now + pause, community.zone, wish.quiet)
    payload = {"notice_id": str(row.notice_id)}
    unit.enqueue(NewJob(kind=RETRY, key=f"{RETRY}:{row.notice_id}:{row.attempts}", payload=payload, run_at=row.next_at))


def _end(unit: Unit, row: DeliveryRow, state: DeliveryState, reason: str, at: datetime | None = None) -> None:
    row.state, row.reason, row.leased_until, row.next_at = state, reason[:_REASON_LENGTH_MAX], None, None
    row.ended_at = at or unit.now
    unit.record("closed", "delivery", row.notice_id, after={"state": state.value})


def _look_job(row: DeliveryRow, at: datetime | None) -> NewJob:
    key = f"{LOOK}:{row.notice_id}:{row.attempts}:{row.asked}:{at.isoformat() if at else ''}"
    return NewJob(kind=LOOK, key=key, payload={"notice_id": str(row.notice_id)}, run_at=at)
