"""What can be said of a move-out, and that a statement kept is the statement given."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from cloud.settlement.values import FinalReading, MoveOut, Statement, StatementLine
from common.errors import RefusalError
from common.ids import AccountId, MeterId

LINE = StatementLine(number="B-1", name_zh="水费", name_en="water", service="2026-03-01..2026-03-11", fen=500)
STATEMENT = Statement(
    gone_on=date(2026, 3, 11),
    final_number="F-1",
    final_fen=500,
    owed=(LINE,),
    owed_fen=500,
    ahead_fen=0,
    deposit_fen=800,
    from_deposit_fen=500,
    refund_fen=300,
    still_owed_fen=0,
)


def wish(**changes: object) -> MoveOut:
    fields: dict[str, object] = {
        "settlement_id": UUID(int=1),
        "account_id": AccountId(UUID(int=2)),
        "gone_on": date(2026, 3, 11),
    }
    return MoveOut(**(fields | changes))  # type: ignore[arg-type]


def test_a_statement_kept_is_the_statement_given() -> None:
    assert Statement.from_plain(STATEMENT.to_plain()) == STATEMENT


def test_its_hash_covers_the_amounts_and_not_the_number_that_is_taken_last() -> None:
    assert replace(STATEMENT, final_number=None).sha == STATEMENT.sha
    assert replace(STATEMENT, refund_fen=301).sha != STATEMENT.sha
    assert replace(STATEMENT, owed=(replace(LINE, fen=501),)).sha != STATEMENT.sha


def test_a_dial_is_read_once_and_words_are_bounded() -> None:
    reading = FinalReading(meter_id=MeterId(UUID(int=3)), value_milli=1)
    with pytest.raises(RefusalError, match="each meter once"):
        wish(readings=(reading, reading))
    with pytest.raises(RefusalError, match="at most 500"):
        wish(inspection="x" * 501)
