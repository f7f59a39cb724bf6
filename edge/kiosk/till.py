"""The kiosk's till: asks the cloud, hands shown codes over, records what it hands out, prints. It holds no money."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from common.ids import IdSource
from common.wire.charge import NO_CODE, ChargeAnswer, Silence
from common.wire.records import KioskReceipt
from edge.buffer.records import Lane
from edge.buffer.store import Store
from edge.driver.printer import Printed, Printer

KIOSK = "kiosk"
SCAN = "scan"


class Cashier(Protocol):
    """The cloud's cashier, as far as it can be reached."""

    async def open_fen(self, address: str) -> int | None:
        """Return what is open on a bill; None when the cloud is away."""
        ...

    async def charge(
        self, wish: UUID, token: str, amount_fen: int = 0, auth_code: str = NO_CODE
    ) -> ChargeAnswer | Silence:
        """Hand a shown code over, or without one ask where its wish stands."""
        ...


class Till:
    """What paying needs of the gateway."""

    def __init__(self, store: Store, ids: IdSource, printer: Printer, cashier: Cashier) -> None:
        self._store = store
        self._ids = ids
        self._printer = printer
        self.open_fen = cashier.open_fen
        self.charge = cashier.charge

    def new_wish(self) -> UUID:
        """Return the id of a new wish to pay."""
        return self._ids.new()

    async def record_receipt(self, bill_number: str, amount_fen: int, channel: str = SCAN) -> None:
        """Record durably what is handed out."""
        handed = KioskReceipt(
            event_id=self._ids.new(), kiosk=KIOSK, bill_number=bill_number, amount_fen=amount_fen, channel=channel
        )
        await self._store.record(handed, lane=Lane.GATE)

    async def print(self, data: bytes) -> Printed:
        """Print a receipt."""
        return await self._printer.print(data)
