"""Receipts by way and item are what the book's money accounts moved by, and a shift's summary is what its box took."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest_asyncio
from sqlalchemy import text

from cloud.estate import service as estate
from cloud.insights import receipts
from cloud.insights.receipts import MoneyMove, Totals
from cloud.ledger import reports
from cloud.ledger.accounts import AccountType
from cloud.payments import desk
from cloud.payments.channel import Channel, Method
from cloud.payments.desk import CashReceipt
from cloud.tariffs.charge import FundClass
from common.civil import Period
from common.ids import PaymentId
from tests.cloud.billing.conftest import Office
from tests.cloud.deposits.vault import open_box, open_vault
from tests.cloud.payments.counter import Counter, open_counter
from tests.cloud.refunds.till import CLERK, open_till
from tests.simulation.wechat.in_process import InProcessChannel
from tests.support.clock import SettableClock

YEAR = Period(date(2026, 1, 1), date(2027, 1, 1))
MONEY = {AccountType.CLEARING, AccountType.CASH, AccountType.BANK}


@pytest_asyncio.fixture
async def counter(office: Office, tmp_path: Path, clock: SettableClock) -> AsyncIterator[Counter]:
    channel = InProcessChannel(tmp_path / "wechat", clock.now, hurry=1_000_000)
    async with open_counter(office, channel) as opened:
        yield opened
    await channel.close()


async def busy_days(counter: Counter) -> UUID:
    """Let money come by WeChat, in cash and for a deposit, and some go back; return the shift."""
    till = open_till(counter)
    await till.set_policy()
    vault = await open_vault(till)
    await vault.held(2_000)
    await counter.bill(1, 500, 700)
    paid = await till.pay(1_000)
    await till.refund(paid, 40)
    await till.later(10)
    _, shift = await open_box(vault, FundClass.OPERATING)
    receipt = CashReceipt(
        payment_id=PaymentId(UUID(int=77)),
        account_id=await counter.office.account(counter.office.site.flats[1]),
        tendered_fen=1_000,
    )
    async with counter.database.unit(counter.tenant, CLERK) as unit:
        await desk.record_cash(unit, shift, receipt)
        await desk.close_shift(unit, shift, counted_fen=710, reason="ten fen more")
    return shift


async def test_the_rows_of_a_year_are_what_the_books_money_accounts_moved_by(counter: Counter) -> None:
    await busy_days(counter)
    site = counter.office.site
    async with counter.database.view(counter.tenant) as session:
        moves = await receipts.money_moves(session, site.community_id, YEAR)
        trial = await reports.trial_balance(session, site.community_id)
        found = await session.execute(text("select channel, sum(amount_fen)::bigint from payment group by channel"))
        paid = {Channel(channel): fen for channel, fen in found}
    for fund in FundClass:
        booked = sum(line.balance_fen for line in trial.lines if line.type in MONEY and line.fund_class is fund)
        assert receipts.totals([move for move in moves if move.fund_class is fund]).net_fen == booked
    by_channel = receipts.grouped(moves, lambda one: (one.channel,))
    assert {key[0]: sums.received_fen for key, sums in by_channel.items() if key[0] is not None} == paid
    assert receipts.totals(moves) == Totals(received_fen=3_700, given_back_fen=-40, other_fen=10)
    assert sum(move.fen for move in moves if move.item_code) == 400 + 500 + 700


async def test_a_day_holds_its_own_rows_alone(counter: Counter) -> None:
    await busy_days(counter)
    site = counter.office.site
    async with counter.database.view(counter.tenant) as session:
        moves = await receipts.money_moves(session, site.community_id, YEAR)
        days = {move.day for move in moves}
        parts = [
            await receipts.money_moves(session, site.community_id, Period(day, date.fromordinal(day.toordinal() + 1)))
            for day in sorted(days)
        ]
        assert [move for part in parts for move in part] == list(moves)
        assert await receipts.money_moves(session, site.community_id, Period(date(2025, 1, 1), YEAR.start)) == ()


async def test_a_shift_tells_what_it_took_by_each_way_and_the_difference(counter: Counter) -> None:
    shift = await busy_days(counter)
    site = counter.office.site
    async with counter.database.view(counter.tenant) as session:
        zone = (await estate.community(session, site.community_id)).zone
        (found,) = await receipts.shift_summaries(session, site.community_id, YEAR, zone)
    assert found.cash_shift_id == shift
    assert [(way.channel, way.payments, way.fen) for way in found.taken] == [(Channel.CASH, 1, 700)]
    assert (found.opening_fen, found.expected_fen, found.counted_fen, found.difference_fen) == (0, 700, 710, 10)
    assert found.reason == "ten fen more"


def move(route: str, fen: int, channel: Channel | None = Channel.CASH) -> MoneyMove:
    return MoneyMove(
        day=YEAR.start,
        channel=channel,
        method=Method.COUNTER,
        fund_class=FundClass.OPERATING,
        route=route,
        item_code="",
        name_zh="",
        name_en="",
        moves=1,
        fen=fen,
    )


def test_money_of_payers_and_other_money_are_told_apart() -> None:
    moves = [move("receipt", 5), move("refund", -2), move("channel_fee", -1, None)]
    assert receipts.totals(moves) == Totals(received_fen=5, given_back_fen=-2, other_fen=-1)
    assert receipts.totals(moves).net_fen == 2
    assert receipts.grouped(moves, lambda one: (one.channel,)) == {
        (Channel.CASH,): Totals(received_fen=5, given_back_fen=-2),
        (None,): Totals(other_fen=-1),
    }
