"""Three legs of one day on the real book: book, trade bill, balance, bank; each to the fen, each with its case."""

from __future__ import annotations

from datetime import date

from cloud.payments.channels.bank.lines import BankStatement
from cloud.reconciliation import legs, transfers
from cloud.reconciliation.flows import FlowFinding
from cloud.reconciliation.legs import FundDay
from tests.cloud.payments.counter import Counter
from tests.cloud.reconciliation.test_service import day_of_payments, fetch, morning_after, open_cases, today
from tests.cloud.reconciliation.test_transfers import bank_of, imported, waiting


async def second_leg(counter: Counter, day: date) -> FundDay:
    async with counter.database.view(counter.tenant) as session:
        found = await legs.fund_day(session, counter.account.merchant_account_id, day)
    assert found is not None
    return found


async def test_a_calm_day_is_explained_to_the_balance(counter: Counter) -> None:
    await day_of_payments(counter, 10_000, 20_000)
    day = today(counter)
    report = await morning_after(counter, day)
    found = await second_leg(counter, day)
    assert (report.figures.explained_basis_points, found.explained) == (10_000, True)
    assert (found.traded_fen, found.fees_fen, found.moved_fen) == (30_000, 180, 29_820)


async def test_a_complaint_shows_only_on_the_balance_and_opens_a_case(counter: Counter) -> None:
    await day_of_payments(counter, 10_000)
    await counter.channel.control("mischief", kind="flow_complaint", value=500)
    day = today(counter)
    report = await morning_after(counter, day)
    found = await second_leg(counter, day)
    assert report.figures.open_breaks == 0
    assert [(one.kind, one.flow_fen) for one in found.findings] == [(FlowFinding.COMPLAINT, -500)]
    assert "fund_flow_differs" in await open_cases(counter)


async def test_a_movement_left_out_is_found_and_a_complete_file_is_a_new_version_that_explains_it(
    counter: Counter,
) -> None:
    await day_of_payments(counter, 10_000, 20_000)
    await counter.channel.control("mischief", kind="flow_drops_row", value=1)
    day = today(counter)
    await morning_after(counter, day)
    first = await second_leg(counter, day)
    assert [one.kind for one in first.findings] == [FlowFinding.FEE_DIFFERS]
    await fetch(counter, day, "again")
    second = await second_leg(counter, day)
    assert (first.version, second.version, second.explained) == (1, 2, True)
    assert "fund_flow_differs" not in await open_cases(counter)
    await fetch(counter, day, "and again")
    assert (await second_leg(counter, day)).version == 2


async def test_what_a_channel_sent_to_the_bank_is_its_credit_within_three_days(counter: Counter) -> None:
    await day_of_payments(counter, 10_000)
    bank = await bank_of(counter)
    await counter.channel.control("withdraw", mchid=counter.account.merchant_number, fen=9_000)
    day = today(counter)
    await morning_after(counter, day)
    assert (await second_leg(counter, day)).withdrawn_fen == 9_000
    raw = _credit(day, 9_000)
    report = await imported(counter, bank, raw, "mt940")
    assert (report.fresh, report.posted) == (1, 1)
    assert await waiting(counter) == []
    again = _credit(day, 9_000, serial="B2")
    assert (await imported(counter, bank, again, "mt940")).posted == 0
    assert [line.fen for line in await waiting(counter)] == [9_000]


async def test_a_credit_of_another_amount_is_no_settlement(counter: Counter) -> None:
    await day_of_payments(counter, 10_000)
    bank = await bank_of(counter)
    await counter.channel.control("withdraw", mchid=counter.account.merchant_number, fen=9_000)
    day = today(counter)
    await morning_after(counter, day)
    assert (await imported(counter, bank, _credit(day, 8_999), "mt940")).posted == 0


def test_a_statement_of_the_test_is_a_true_one() -> None:
    found = transfers.read(_credit(date(2026, 3, 1), 100), "mt940")
    assert isinstance(found, BankStatement)


def _credit(day: date, fen: int, serial: str = "B1") -> bytes:
    amount = f"{fen // 100},{fen % 100:02d}"
    return (
        f":20:S\n:60F:C{day:%y%m%d}CNY0,00\n:61:{day:%y%m%d}C{amount}NTRFNONREF//{serial}\n:86:财付通结算\n"
        f":62F:C{day:%y%m%d}CNY{amount}\n-\n"
    ).encode()
