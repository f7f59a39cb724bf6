"""The kiosk's till: asks what is open, records what it hands out, prints. It holds no money."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from common.ids import IdSource
from common.wire.records import KioskReceipt
from edge.buffer.records import Lane
from edge.buffer.store import Store
from edge.driver.printer import Printed, Printer

KIOSK = "kiosk"
CHANNEL = "scan"


class Till:
    """What paying needs of the gateway."""

    def __init__(
        self, store: Store, ids: IdSource, printer: Printer, ask: Callable[[str], Awaitable[int | None]]
    ) -> None:
        self._store = store
        self._ids = ids
        self._printer = printer
        self._ask = ask

    async def open_fen(self, address: str) -> int | None:
        """Return what is open on a bill; None when the cloud is away."""
        return await self._ask(address)

    async def record_receipt(self, bill_number: str, amount_fen: int) -> None:
        """Record durably what is handed out."""
        handed = KioskReceipt(
            event_id=self._ids.new(), kiosk=KIOSK, bill_number=bill_number, amount_fen=amount_fen, channel=CHANNEL
        )
        await self._store.record(handed, lane=Lane.GATE)

    async def print(self, data: bytes) -> Printed:
        """Print a receipt."""
        return await self._printer.print(data)
