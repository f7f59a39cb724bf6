"""The till: a receipt is a durable record before it is paper."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from common.ids import TimeOrderedIds
from common.wire.charge import ChargeAnswer, Silence
from common.wire.records import KioskReceipt
from edge.driver.printer import Printed, Printer
from edge.kiosk.till import Till
from tests.edge.gate.bench import Bench, counting


class NothingOpen:
    """A cloud with nothing open that takes no codes."""

    async def open_fen(self, address: str) -> int | None:
        return 0 if address.startswith("https://") else None

    async def charge(self, wish: UUID, token: str, amount_fen: int = 0, auth_code: str = "") -> ChargeAnswer | Silence:
        del wish, token, amount_fen, auth_code
        return Silence.AWAY


async def test_what_is_handed_out_is_recorded(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "store.db")

    till = Till(bench.store, TimeOrderedIds(bench.clock.now, counting()), Printer(None), NothingOpen())
    await till.record_receipt("B1", 7_625, "wechat")
    assert till.new_wish() != till.new_wish()
    assert await till.charge(till.new_wish(), "t") is Silence.AWAY
    assert await till.open_fen("https://x/pay/t") == 0
    assert await till.print(b"x") is Printed.NONE
    (record,) = [one for one in await bench.records() if isinstance(one, KioskReceipt)]
    assert (record.bill_number, record.amount_fen, record.channel) == ("B1", 7_625, "wechat")
    bench.store.close()
