"""What every channel promises the product, by the same sentences: three clients against three simulators."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from cloud.payments.channel import ONLINE, Channel, Method
from cloud.payments.channels.bill import BillKind, FlowKind
from cloud.payments.channels.provider import (
    EmptyDay,
    Freshness,
    NotReady,
    OrderView,
    PlacedOrder,
    PromptKind,
    RefundState,
    RefundView,
    Refused,
    TradeBill,
    TradeState,
    Unknown,
    UnknownReason,
)
from cloud.payments.channels.trust import Distrust, DistrustedError
from common.errors import FaultsError
from tests.contract.benches import NUMBER, OTHER, REFUND, START, Bench, open_bench, ref
from tests.support.clock import SettableClock

DAY = date(2026, 3, 5)
LOST = {TradeState.NOT_PAID, TradeState.CLOSED}
# UnionPay's messages carry business time only; in a notification its certificate must be valid now instead.
FRESHNESS = {
    Channel.WECHAT: frozenset(Freshness),
    Channel.ALIPAY: frozenset(Freshness),
    Channel.UNIONPAY: frozenset[Freshness](),
}


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(START)


@pytest_asyncio.fixture(params=sorted(ONLINE))
async def bench(request: pytest.FixtureRequest, tmp_path: Path, clock: SettableClock) -> AsyncIterator[Bench]:
    opened = await open_bench(Channel(request.param), tmp_path / "channel", clock.now)
    yield opened
    await opened.simulator.close()


async def view_of(bench: Bench, number: str = NUMBER) -> OrderView:
    view = await bench.client.query(ref(number))
    assert isinstance(view, OrderView), view
    return view


async def test_an_order_is_placed_scanned_paid_and_asked_about(bench: Bench) -> None:
    placed = await bench.client.place(bench.order())
    assert isinstance(placed, PlacedOrder)
    assert placed.kind is PromptKind.SCAN
    assert placed.code_url
    before = await view_of(bench)
    assert (before.state, before.number, before.merchant_number) == (TradeState.NOT_PAID, NUMBER, bench.merchant)
    told = await bench.simulator.control("pay", code_url=placed.code_url)
    after = await view_of(bench)
    assert (after.state, after.total_fen, after.currency) == (TradeState.PAID, 12_345, "CNY")
    assert (after.transaction_id, after.paid_at) == (told["transaction_id"], START)


async def test_money_that_comes_after_the_closing_is_told(bench: Bench) -> None:
    await bench.client.place(bench.order())
    assert await bench.client.close(ref()) is None
    await bench.pay(late=True)
    assert (await view_of(bench)).state is TradeState.PAID


async def test_an_order_that_nobody_placed_holds_no_money(bench: Bench) -> None:
    answer = await bench.client.query(ref(OTHER))
    assert isinstance(answer, Refused) or (isinstance(answer, OrderView) and answer.state in LOST)


@pytest.mark.parametrize(
    ("kind", "reason", "done"),
    [
        ("server_error", UnknownReason.SERVER_ERROR, False),
        ("rate_limited", UnknownReason.RATE_LIMITED, False),
        ("commit_then_error", UnknownReason.SERVER_ERROR, True),
        ("unsigned", UnknownReason.FORGED, True),
        ("wrong_key", UnknownReason.FORGED, True),
    ],
)
async def test_what_is_not_proven_is_unknown_and_asking_tells(
    bench: Bench,
    kind: str,
    reason: UnknownReason,
    done: bool,  # noqa: FBT001 - a table column
) -> None:
    transaction = await bench.paid()
    await bench.misbehave(kind)
    outcome = await bench.client.refund(bench.refund(transaction))
    assert isinstance(outcome, Unknown), outcome
    assert outcome.reason is reason
    asked = await bench.client.query_refund(bench.refund(transaction).ref)
    assert isinstance(asked, RefundView if done else Refused)


async def test_a_hanging_channel_is_unknown_after_its_time(bench: Bench) -> None:
    await bench.misbehave("rate_limited", times=1)
    outcome = await bench.client.query(ref())
    assert isinstance(outcome, Unknown)


async def test_a_refund_arrives_and_its_repetition_is_the_same_refund(bench: Bench) -> None:
    wish = bench.refund(await bench.paid())
    assert isinstance(await bench.client.refund(wish), RefundView)
    first = await bench.client.query_refund(wish.ref)
    assert isinstance(first, RefundView)
    assert (first.state, first.amount_fen, first.refund_number) == (RefundState.SUCCESS, 45, REFUND)
    assert first.succeeded_at == START
    assert isinstance(await bench.client.refund(wish), RefundView)
    assert await bench.client.query_refund(wish.ref) == first


async def test_a_refund_that_was_taken_on_is_not_called_arrived(bench: Bench) -> None:
    wish = bench.refund(await bench.paid())
    await bench.misbehave("refund_pending")
    await bench.client.refund(wish)
    waiting = await bench.client.query_refund(wish.ref)
    assert isinstance(waiting, RefundView)
    assert (waiting.state, waiting.succeeded_at) == (RefundState.PROCESSING, None)
    await bench.simulator.control("finish-refund", number=REFUND)
    arrived = await bench.client.query_refund(wish.ref)
    assert isinstance(arrived, RefundView)
    assert arrived.state is RefundState.SUCCESS


async def test_a_refund_above_what_is_left_is_refused(bench: Bench) -> None:
    transaction = await bench.paid(fen=100)
    first = await bench.client.refund(bench.refund(transaction, 60, total_fen=100))
    assert isinstance(first, RefundView)
    second = bench.refund(transaction, 60, "RF20260305BBBBBBBBBBBBB0", total_fen=100)
    assert isinstance(await bench.client.refund(second), Refused)
    assert isinstance(await bench.client.query_refund(second.ref), Refused)


async def test_a_shown_code_is_paid_at_once_or_by_the_next_question(bench: Bench) -> None:
    outcome = await bench.client.place(bench.shown())
    assert isinstance(outcome, OrderView | PlacedOrder)
    view = await view_of(bench)
    assert (view.state, view.total_fen) == (TradeState.PAID, 12_345)


async def test_a_shown_code_that_waits_is_undone_and_can_never_be_paid(bench: Bench) -> None:
    await bench.misbehave("code_waits", order=NUMBER)
    outcome = await bench.client.place(bench.shown())
    assert isinstance(outcome, PlacedOrder)
    assert outcome.kind is PromptKind.WAIT
    assert (await view_of(bench)).state in {TradeState.NOT_PAID, TradeState.PAYING}
    assert await bench.client.reverse(ref()) is None
    assert (await view_of(bench)).state in LOST
    assert "refusal" in await bench.simulator.control("pay", number=NUMBER)


async def test_a_shown_code_that_was_paid_is_undone_with_the_money(bench: Bench) -> None:
    await bench.client.place(bench.shown())
    assert await bench.client.reverse(ref()) is None
    told = await bench.simulator.control("book", mchid=bench.merchant)
    assert told["merchant_fen"] == 0


async def test_undoing_that_must_be_repeated_says_so(bench: Bench) -> None:
    await bench.client.place(bench.shown())
    await bench.misbehave("reverse_again", order=NUMBER)
    assert isinstance(await bench.client.reverse(ref()), Unknown)
    assert await bench.client.reverse(ref()) is None


async def test_a_code_of_nobody_is_a_final_no(bench: Bench) -> None:
    await bench.misbehave("code_refused", order=NUMBER)
    assert isinstance(await bench.client.place(bench.shown()), Refused)


async def test_the_trade_bill_is_the_channels_book(bench: Bench, clock: SettableClock) -> None:
    transaction = await bench.paid(fen=10_001)
    await bench.paid(OTHER, 20_002)
    await bench.client.refund(bench.refund(transaction, 1, total_fen=10_001))
    clock.advance(days=1)
    bill = await bench.client.trade_bill(DAY)
    assert isinstance(bill, TradeBill), bill
    rows = bench.client.read_trade_bill(bill.raw)
    assert sorted((row.kind, row.order_number, row.refund_number, row.amount_fen) for row in rows) == [
        (BillKind.PAYMENT, NUMBER, "", 10_001),
        (BillKind.PAYMENT, OTHER, "", 20_002),
        (BillKind.REFUND, NUMBER, REFUND, 1),
    ]
    assert {row.at for row in rows} == {START}
    assert sum(row.fee_millifen for row in rows) == 180_000


async def test_the_fund_bill_is_what_moved_on_the_balance(bench: Bench, clock: SettableClock) -> None:
    transaction = await bench.paid(fen=10_001)
    await bench.client.refund(bench.refund(transaction, 10_001, total_fen=10_001))
    await bench.paid(OTHER, 20_000)
    clock.advance(days=1)
    bill = await bench.client.fund_bill(DAY)
    assert isinstance(bill, TradeBill), bill
    rows = bench.client.read_fund_bill(bill.raw)
    assert sum(row.fen for row in rows if row.kind is FlowKind.TRADE) == 30_001
    assert sum(row.fen for row in rows if row.kind is FlowKind.REFUND) == -10_001
    told = await bench.simulator.control("book", mchid=bench.merchant)
    assert rows[-1].balance_fen == sum(row.fen for row in rows) == told["merchant_fen"]


async def test_an_empty_day_and_an_unfinished_file_are_told_apart(bench: Bench, clock: SettableClock) -> None:
    clock.set(datetime(2026, 3, 6, 1, 0, tzinfo=UTC))
    assert await bench.client.trade_bill(DAY) == NotReady(day=DAY)
    clock.set(datetime(2026, 3, 6, 2, 0, tzinfo=UTC))
    bill = await bench.client.trade_bill(DAY)
    if isinstance(bill, TradeBill):
        assert bench.client.read_trade_bill(bill.raw) == ()
    else:
        assert bill == EmptyDay(day=DAY)


@pytest.mark.parametrize("kind", ["bill_wrong_total"])
async def test_a_file_that_contradicts_itself_is_refused_whole(bench: Bench, clock: SettableClock, kind: str) -> None:
    await bench.paid()
    clock.advance(days=1)
    await bench.misbehave(kind)
    bill = await bench.client.trade_bill(DAY)
    assert isinstance(bill, TradeBill)
    with pytest.raises(FaultsError):
        bench.client.read_trade_bill(bill.raw)


async def test_a_truncated_file_and_another_file_are_refused(bench: Bench, clock: SettableClock) -> None:
    await bench.paid()
    clock.advance(days=1)
    bill = await bench.client.trade_bill(DAY)
    assert isinstance(bill, TradeBill)
    for raw in (bill.raw[: len(bill.raw) // 2], b"", b"PK\x03\x04junk", "日期,金额\n".encode()):
        with pytest.raises(FaultsError):
            bench.client.read_trade_bill(raw)


async def test_a_notification_that_proves_itself_is_read(bench: Bench) -> None:
    await bench.paid()
    heard = await bench.listen()
    notice = bench.client.open_notification(heard.headers, heard.content)
    assert notice.order_number == NUMBER
    assert notice.view is not None
    assert (notice.view.state, notice.view.total_fen) == (TradeState.PAID, 12_345)
    again = bench.client.open_notification(heard.headers, heard.content)
    assert again.event_id == notice.event_id


async def heard_after(bench: Bench, kind: str) -> httpx.Request:
    """Return the notification of a payment, spoiled as wished."""
    await bench.client.place(bench.order())
    await bench.misbehave(kind, order=NUMBER)
    await bench.pay()
    return await bench.listen()


@pytest.mark.parametrize("kind", ["notify_forged", "notify_truncated"])
async def test_a_notification_that_proves_nothing_is_not_believed(bench: Bench, kind: str) -> None:
    heard = await heard_after(bench, kind)
    with pytest.raises(DistrustedError):
        bench.client.open_notification(heard.headers, heard.content)


async def test_what_the_times_in_messages_let_be_checked_is_what_the_provider_says_of_itself(bench: Bench) -> None:
    assert bench.client.freshness == FRESHNESS[bench.channel]


async def test_a_notification_that_was_kept_back_is_refused_where_it_says_when_it_was_sent(bench: Bench) -> None:
    heard = await heard_after(bench, "notify_stale")
    if Freshness.NOTIFICATION in bench.client.freshness:
        with pytest.raises(DistrustedError) as caught:
            bench.client.open_notification(heard.headers, heard.content)
        assert caught.value.reason is Distrust.STALE
    else:
        assert bench.client.open_notification(heard.headers, heard.content).order_number == NUMBER


async def test_one_byte_more_breaks_the_signature(bench: Bench) -> None:
    await bench.paid()
    heard = await bench.listen()
    altered = heard.content.replace(b"12345", b"12346").replace(b"123.45", b"123.46")
    if altered == heard.content:
        altered = heard.content + b" "
    with pytest.raises(DistrustedError) as caught:
        bench.client.open_notification(heard.headers, altered)
    assert caught.value.reason in {Distrust.BAD_SIGNATURE, Distrust.UNREADABLE}


async def test_a_notification_of_a_refund_names_the_refund(bench: Bench) -> None:
    wish = bench.refund(await bench.paid())
    await bench.misbehave("refund_pending")
    await bench.client.refund(wish)
    await bench.simulator.control("finish-refund", number=REFUND)
    await bench.listen()
    notices = [bench.client.open_notification(one.headers, one.content) for one in bench.heard]
    assert REFUND in {notice.refund_number for notice in notices}


async def test_the_methods_of_a_channel_give_what_the_payers_device_needs(bench: Bench) -> None:
    expected = {
        Method.JSAPI: PromptKind.INVOKE,
        Method.H5: PromptKind.OPEN,
        Method.PAGE: PromptKind.OPEN,
        Method.WAP: PromptKind.OPEN,
        Method.GATEWAY: PromptKind.SUBMIT,
    }
    methods = {
        Channel.WECHAT: (Method.JSAPI, Method.H5),
        Channel.ALIPAY: (Method.PAGE, Method.WAP),
        Channel.UNIONPAY: (Method.GATEWAY,),
    }[bench.channel]
    for place, method in enumerate(methods):
        number = f"GH20260305CCCCCCCCCCCC{place:02d}"
        placed = await bench.client.place(bench.order(number, method=method, payer=_payer(bench)))
        assert isinstance(placed, PlacedOrder), placed
        assert placed.kind is expected[method]
        assert (await view_of(bench, number)).state is TradeState.NOT_PAID


async def test_a_clock_that_is_hours_off_gets_nothing_done_where_requests_say_when_they_were_made(
    bench: Bench,
) -> None:
    await bench.client.place(bench.order())
    setattr(bench.simulator, "client_skew_s", int(timedelta(hours=3).total_seconds()))  # noqa: B010 - three classes
    answer = await bench.client.query(ref())
    if Freshness.CLOCK in bench.client.freshness:
        assert isinstance(answer, Refused | Unknown)
    else:
        assert isinstance(answer, OrderView)
        assert answer.state is TradeState.NOT_PAID


def _payer(bench: Bench) -> object:
    from cloud.payments.channels.provider import Payer  # noqa: PLC0415 - used by this one test

    del bench
    return Payer(open_id="oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", address="10.0.0.7")
