"""Paying a bill at the kiosk: its cashier address as a code to scan, honestly where the payment stands, a receipt.

The money moves between the resident's phone and the cloud; the kiosk shows the way and asks what is still open. While
the cloud is away it shows no code, says so, and nothing is taken for paid. A receipt is recorded before it is printed,
and only of a bill that the cloud says is settled.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from common.money.amount import CNY, format_minor
from edge.driver.printer import Printed
from edge.kiosk.dues import DueBill, DuesBook, RoomDues
from edge.kiosk.qr import qr_svg
from edge.kiosk.rendering import NOT_FOUND, TOO_MANY, Renderer, address_of, read_form
from edge.kiosk.sessions import Guesses
from edge.protocol.escpos import Line, receipt

STATE_S = 3


class PayDesk(Protocol):
    """What paying needs of the gateway."""

    async def open_fen(self, address: str) -> int | None:
        """Return what is open on a bill; None when the cloud is away."""
        ...

    async def record_receipt(self, bill_number: str, amount_fen: int) -> None:
        """Record durably what is handed out."""
        ...

    async def print(self, data: bytes) -> Printed:
        """Print a receipt."""
        ...


class PayPages:
    """The handlers of paying. A bill is named by the token of its address, which is as secret as the bill itself."""

    def __init__(
        self,
        desk: PayDesk,
        dues: Callable[[], DuesBook],
        render: Renderer,
        guesses: Guesses,
        now: Callable[[], datetime],
    ) -> None:
        self._desk = desk
        self._dues = dues
        self._render = render
        self._guesses = guesses
        self._now = now

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/bill", self._scanned, methods=["POST"]),
            Route("/bill/{token}", self._show),
            Route("/bill/{token}/state", self._state),
            Route("/bill/{token}/receipt", self._receipt, methods=["POST"]),
        ]

    async def _scanned(self, request: Request) -> Response:
        """Open the bill whose code was held to the scanner."""
        form = await read_form(request)
        if not self._guesses.allow(f"bill {address_of(request)}"):
            return self._render.message("too_many", code=TOO_MANY)
        found = self._dues().find_bill(form.get("code", ""))
        return self._render.message("no_such_bill", code=NOT_FOUND) if found is None else await self._page(*found)

    async def _show(self, request: Request) -> Response:
        found = self._dues().find_bill(request.path_params["token"])
        return self._render.message("no_such_bill", code=NOT_FOUND) if found is None else await self._page(*found)

    async def _page(self, room: RoomDues, bill: DueBill) -> Response:
        open_fen = await self._desk.open_fen(bill.pay_address)
        drawn = qr_svg(bill.pay_address) if open_fen else None
        return self._render.page(
            "pay.html", room=room, bill=bill, open_fen=open_fen, drawn=drawn, state_s=STATE_S, token=bill.token
        )

    async def _state(self, request: Request) -> Response:
        """Tell whether the bill is settled; the page asks every few seconds."""
        found = self._dues().find_bill(request.path_params["token"])
        if found is None:
            return JSONResponse({"state": "unknown"}, status_code=NOT_FOUND)
        open_fen = await self._desk.open_fen(found[1].pay_address)
        state = "away" if open_fen is None else "open" if open_fen > 0 else "paid"
        return JSONResponse({"state": state}, headers={"Cache-Control": "no-store"})

    async def _receipt(self, request: Request) -> Response:
        found = self._dues().find_bill(request.path_params["token"])
        if found is None:
            return self._render.message("no_such_bill", code=NOT_FOUND)
        room, bill = found
        open_fen = await self._desk.open_fen(bill.pay_address)
        if open_fen != 0:
            return self._render.message("not_paid_yet" if open_fen else "cloud_away")
        await self._desk.record_receipt(bill.number, bill.open_fen)
        printed = await self._desk.print(receipt(self._lines(room, bill), bill.pay_address))
        return self._render.message(f"receipt_{printed.value}")

    def _lines(self, room: RoomDues, bill: DueBill) -> list[Line]:
        items = [Line(text=line.name.zh, right=f"￥{format_minor(line.amount_fen, CNY)}") for line in bill.lines]
        return [
            Line(text="缴费凭条", big=True, centre=True),
            Line(text=f"房号 {room.room}"),
            Line(text=f"账单 {bill.number}"),
            Line(text=f"账期 {bill.period}"),
            *items,
            Line(text="合计", right=f"￥{format_minor(bill.open_fen, CNY)}", big=True),
            Line(text=f"{self._now():%Y-%m-%d %H:%M} UTC"),
            Line(text="扫码查看账单与收据"),
        ]
