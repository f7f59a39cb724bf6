"""Late charges by days: each part of a debt until the day it was settled, rounded once."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.arrears.rules import Part, parts_of, reckon
from cloud.ledger.accounts import AccountType
from cloud.ledger.journals import LineMove, LineRef
from common.errors import InvariantError
from common.ids import BillId
from common.tariff.compile import CompiledTariff, compile_tariff
from common.tariff.document import parse_tariff

DUE = date(2026, 3, 1)
LINE = LineRef(bill_id=BillId(UUID(int=1)), n=1)


def rule(**late: object) -> CompiledTariff:
    document = {
        "format": "gatehouse-tariff/1",
        "code": "late",
        "name": {"zh": "违约金", "en": "late charge"},
        "late_charge": {"rate_per_day": "0.0005", **late},
    }
    return compile_tariff(parse_tariff(document))


def move(day: int, other: AccountType, fen: int) -> LineMove:
    return LineMove(line=LINE, business_date=DUE + timedelta(days=day), other=other, fen=fen)


def late_fen(tariff: CompiledTariff, parts: list[Part] | tuple[Part, ...], kind: str = "revenue") -> int:
    found = reckon(tariff, "B/1", kind, DUE, parts)
    return 0 if found is None else found.line.amount_fen


@pytest.mark.parametrize(
    ("moves", "parts"),
    [
        ([move(-20, AccountType.INCOME, 100)], [(100, 45)]),
        ([move(-20, AccountType.INCOME, 100), move(10, AccountType.CLEARING, -40)], [(40, 10), (60, 45)]),
        ([move(-20, AccountType.INCOME, 100), move(50, AccountType.CASH, -100)], [(100, 45)]),
        ([move(-20, AccountType.INCOME, 100), move(30, AccountType.INCOME, -100)], []),
        (
            [
                move(-20, AccountType.INCOME, 100),
                move(5, AccountType.CLEARING, -100),
                move(30, AccountType.INCOME, -30),
                move(30, AccountType.PREPAYMENT, 30),
            ],
            [(70, 5)],
        ),
        ([move(-20, AccountType.OPENING, 80), move(9, AccountType.WRITE_OFF, -80)], [(80, 9)]),
        (
            [
                move(-20, AccountType.INCOME, 90),
                move(5, AccountType.CLEARING, -50),
                move(8, AccountType.CLEARING, -40),
                move(9, AccountType.PREPAYMENT, 60),
            ],
            [(30, 5), (60, 45)],
        ),
        (
            [
                move(-20, AccountType.INCOME, 90),
                move(5, AccountType.CLEARING, -50),
                move(50, AccountType.CLEARING, -40),
                move(51, AccountType.PREPAYMENT, 40),
            ],
            [(50, 5), (40, 45)],
        ),
    ],
    ids=[
        "open",
        "partly paid",
        "paid later",
        "credited whole",
        "credited when paid",
        "written off",
        "taken back",
        "paid later and taken back",
    ],
)
def test_a_debt_is_told_in_parts_each_until_its_day(moves: list[LineMove], parts: list[tuple[int, int]]) -> None:
    found = parts_of(moves, DUE + timedelta(days=45))
    assert [(part.fen, (part.until - DUE).days) for part in found] == parts


def test_more_settled_than_charged_stops_the_run() -> None:
    with pytest.raises(InvariantError, match="above what was charged"):
        parts_of([move(0, AccountType.INCOME, 1), move(1, AccountType.CASH, -2)], DUE + timedelta(days=5))


@pytest.mark.parametrize(
    ("late", "days", "fen"),
    [
        ({}, 45, 2_250),
        ({"grace_days": 10}, 45, 1_750),
        ({"grace_days": 10, "grace": "delaying"}, 45, 2_250),
        ({"grace_days": 10}, 10, 0),
        ({"cap_share": "0.01"}, 45, 1_000),
        ({"counts": []}, 45, 2_200),
    ],
)
def test_a_thousand_yuan_counts_days_grace_and_cap(late: dict[str, object], days: int, fen: int) -> None:
    assert late_fen(rule(**late), [Part(fen=100_000, until=DUE + timedelta(days=days))]) == fen


def test_a_debt_of_an_excluded_kind_or_paid_in_time_bears_nothing() -> None:
    part = Part(fen=100_000, until=DUE + timedelta(days=45))
    assert late_fen(rule(excluded=["agency"]), [part], "agency") == 0
    assert late_fen(rule(), [Part(fen=100_000, until=DUE)]) == 0


def test_parts_are_rounded_once_together_and_their_fen_sum_to_the_line() -> None:
    parts = [Part(fen=1_001, until=DUE + timedelta(days=1)) for _ in range(4)]
    found = reckon(rule(), "B/1", "revenue", DUE, parts)
    assert found is not None
    assert found.line.amount_fen == 2  # four times 0.5005 fen; rounded each on its own it would be 4
    assert len(found.requests) == 4


@given(
    fen=st.integers(1, 10**8),
    paid=st.integers(0, 10**8),
    days=st.integers(1, 400),
    more=st.integers(0, 400),
    paid_on=st.integers(0, 400),
)
def test_a_late_charge_never_falls_with_days_and_a_payment_only_lowers_it(
    fen: int, paid: int, days: int, more: int, paid_on: int
) -> None:
    tariff = rule(cap_share="1")
    base = [move(-20, AccountType.INCOME, fen)]
    settled = [*base, move(paid_on, AccountType.CLEARING, -min(paid, fen))] if min(paid, fen) else base
    now, later = DUE + timedelta(days=days), DUE + timedelta(days=days + more)
    assert late_fen(tariff, parts_of(settled, now)) <= late_fen(tariff, parts_of(settled, later))
    assert late_fen(tariff, parts_of(settled, later)) <= late_fen(tariff, parts_of(base, later))
    assert late_fen(tariff, parts_of(base, later)) <= fen
