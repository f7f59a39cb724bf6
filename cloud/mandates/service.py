"""The use cases of mandates: agree, sign, pause, resume, end, look.

    ask -> (the payer signs at the channel) -> note_signed -> active <-> paused -> note_ended

Nothing here talks to a channel: `clerk.py` does, between two units of work. What is announced and taken by a mandate
is in `debits.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.kit.db import Unit
from cloud.mandates import debits, repository
from cloud.mandates.debits import LIST_MAX
from cloud.mandates.errors import MandateStateError, StandingMandateError, UnknownMandateError
from cloud.mandates.rules import DebitState, MandateState, may_move, today_at_channel
from cloud.mandates.tables import MandateRow
from cloud.mandates.values import Mandate, MandateWish, mandate_of
from cloud.payments import merchants
from cloud.payments.order_number import NumberKind, new_number
from common.ids import AccountId, CommunityId


async def ask(unit: Unit, wish: MandateWish, random_bytes: Callable[[int], bytes]) -> Mandate:
    """Note that a payer wants to agree; the same wish again, or one he did not finish, is the same mandate.

    Raises:
        NotFoundError: there is no such account or merchant account.
        StandingMandateError: a mandate for this money stands already.
    """
    account = await billing.account(unit.session, wish.account_id)
    await billing.lock_accounts(unit, [wish.account_id])
    merchant = await merchants.merchant_account(unit.session, wish.merchant_account_id)
    for known in await repository.mandates_of(unit.session, [wish.account_id]):
        same_book = (known.legal_entity_id, known.fund_class) == (merchant.legal_entity_id, merchant.fund_class)
        if not same_book or known.state is MandateState.ENDED:
            continue
        asked_for = (known.state, known.merchant_account_id, known.limit_fen)
        if asked_for != (MandateState.ASKED, merchant.merchant_account_id, wish.limit_fen):
            raise StandingMandateError
        return mandate_of(known)
    row = MandateRow(
        tenant_id=unit.tenant,
        community_id=account.community_id,
        mandate_id=wish.mandate_id,
        account_id=wish.account_id,
        merchant_account_id=merchant.merchant_account_id,
        legal_entity_id=merchant.legal_entity_id,
        fund_class=merchant.fund_class,
        number=new_number(NumberKind.MANDATE, today_at_channel(unit.now), random_bytes),
        limit_fen=wish.limit_fen,
        day_of_month=wish.day_of_month,
        state=MandateState.ASKED,
        asked_at=unit.now,
        detail="",
    )
    unit.session.add(row)
    await unit.session.flush()
    after = {"limit_fen": row.limit_fen, "day_of_month": row.day_of_month}
    unit.record("asked", "mandate", row.mandate_id, after=after)
    return mandate_of(row)


async def note_signed(unit: Unit, mandate_id: UUID) -> Mandate:
    """Note that the channel says that the agreement holds."""
    row = await debits.locked(unit, mandate_id)
    if row.state is MandateState.ASKED:
        row.signed_at = unit.now
        _move(unit, row, MandateState.ACTIVE)
    return mandate_of(row)


async def pause(unit: Unit, mandate_id: UUID) -> Mandate:
    """Take nothing by a mandate until it is resumed; what was announced is cancelled when its day comes.

    Raises:
        MandateStateError: it is not active.
    """
    return await _moved(unit, mandate_id, MandateState.PAUSED)


async def resume(unit: Unit, mandate_id: UUID) -> Mandate:
    """Take by a paused mandate again.

    Raises:
        MandateStateError: it is not paused.
    """
    row = await debits.locked(unit, mandate_id)
    if row.state is not MandateState.PAUSED:
        raise MandateStateError(row.state, "resumed")
    _move(unit, row, MandateState.ACTIVE)
    return mandate_of(row)


async def note_ended(unit: Unit, mandate_id: UUID, why: str) -> Mandate:
    """Note that a mandate has ended and cancel what was announced by it, unless it may be paid already."""
    row = await debits.locked(unit, mandate_id)
    if row.state is not MandateState.ENDED:
        row.ended_at, row.detail = unit.now, why
        _move(unit, row, MandateState.ENDED)
    for standing in await repository.debits_of(unit.session, [mandate_id], LIST_MAX):
        if standing.state is DebitState.ANNOUNCED:
            await debits.decide(unit, standing.debit_id)
    return mandate_of(row)


async def mandate(session: AsyncSession, mandate_id: UUID) -> Mandate:
    """Return a mandate.

    Raises:
        UnknownMandateError: the company has no such mandate.
    """
    row = await repository.mandate(session, mandate_id)
    if row is None:
        raise UnknownMandateError
    return mandate_of(row)


async def mandate_numbered(session: AsyncSession, number: str) -> Mandate | None:
    """Return the mandate that a channel knows by our number, None when the company has none."""
    row = await repository.mandate_numbered(session, number)
    return None if row is None else mandate_of(row)


async def mandates_of(session: AsyncSession, account_ids: Sequence[AccountId]) -> tuple[Mandate, ...]:
    """Return the mandates of some accounts, the newest first."""
    return tuple(mandate_of(row) for row in await repository.mandates_of(session, account_ids))


async def mandates_in(
    session: AsyncSession, community_id: CommunityId, *, limit: int = LIST_MAX, offset: int = 0
) -> tuple[Mandate, ...]:
    """Return the mandates of a community, the newest first."""
    return tuple(mandate_of(row) for row in await repository.mandates_in(session, community_id, limit, offset))


async def standing(session: AsyncSession) -> Sequence[UUID]:
    """Return the mandates that have not ended."""
    return await repository.standing(session)


async def _moved(unit: Unit, mandate_id: UUID, state: MandateState) -> Mandate:
    row = await debits.locked(unit, mandate_id)
    _move(unit, row, state)
    return mandate_of(row)


def _move(unit: Unit, row: MandateRow, state: MandateState) -> None:
    if not may_move(row.state, state):
        raise MandateStateError(row.state, state)
    before, row.state = row.state, state
    unit.record("moved", "mandate", row.mandate_id, before={"state": before}, after={"state": state})
