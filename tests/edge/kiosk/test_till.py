"""The till: a receipt is a durable record before it is paper."""

from __future__ import annotations

from pathlib import Path

from common.ids import TimeOrderedIds
from common.wire.records import KioskReceipt
from edge.driver.printer import Printed, Printer
from edge.kiosk.till import Till
from tests.edge.gate.bench import Bench, counting


async def test_what_is_handed_out_is_recorded(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "store.db")

    async def nothing_open(_: str) -> int:
        return 0

    till = Till(bench.store, TimeOrderedIds(bench.clock.now, counting()), Printer(None), nothing_open)
    await till.record_receipt("B1", 7_625)
    assert await till.open_fen("https://x/pay/t") == 0
    assert await till.print(b"x") is Printed.NONE
    (record,) = [one for one in await bench.records() if isinstance(one, KioskReceipt)]
    assert (record.bill_number, record.amount_fen) == ("B1", 7_625)
    bench.store.close()
