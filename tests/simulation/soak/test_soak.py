"""A short soak: every book agrees, and a book that does not is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.simulation.soak.__main__ import soak
from tests.simulation.soak.audit import Row, Verdict

GOOD = Row(
    channel="wechat",
    paid=2,
    booked=2,
    paid_fen=300,
    booked_fen=300,
    refunds=1,
    refunded_fen=100,
    lost=0,
    doubled=0,
    refunds_differ=0,
    explained="100.00 %",
    ledger_fen=200,
)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_forty_payments_under_faults_leave_every_book_equal(tmp_path: Path) -> None:
    verdict = await soak(40, 11, tmp_path)
    assert verdict.passed, verdict.table()
    assert sum(row.booked for row in verdict.rows) > 20


@pytest.mark.parametrize(
    "changes",
    [
        {"lost": 1},
        {"doubled": 1},
        {"booked_fen": 301},
        {"refunds_differ": 1},
        {"ledger_fen": 201},
        {"explained": "99.99 %"},
    ],
)
def test_one_fen_or_one_row_off_fails_the_verdict(changes: dict[str, object]) -> None:
    assert Verdict([GOOD], {"law": (0, True)}).passed
    assert not Verdict([replace(GOOD, **changes)], {"law": (0, True)}).passed  # type: ignore[arg-type]
    assert not Verdict([GOOD], {"law": (1, False)}).passed
    assert "FAIL" in Verdict([replace(GOOD, **changes)], {}).table()  # type: ignore[arg-type]
