"""Paying a bill at the kiosk: by a code to scan or the payer's own code, honestly where it stands, a receipt.

The money moves between the resident's phone and the cloud; the kiosk shows the way and asks what is still open. While
the cloud is away it shows and takes no code, says so, and nothing is taken for paid. A receipt is recorded before it is
printed, and only of what the cloud says is settled.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from common.money.amount import CNY, format_minor
from common.wire.charge import ChargeAnswer
from edge.driver.printer import Printed
from edge.kiosk.codes import CodeDesk, Codes
from edge.kiosk.dues import DueBill, DuesBook, RoomDues
from edge.kiosk.qr import qr_svg
from edge.kiosk.rendering import NOT_FOUND, TOO_MANY, Renderer, address_of, parse_id, read_form
from edge.kiosk.sessions import Guesses
from edge.kiosk.till import SCAN
from edge.protocol.escpos import Line, receipt

STATE_S = 3
CODE_STATE_S = 5  # each question reaches the channel; they ask not to be asked more often
WALLETS = {"wechat": "微信支付", "alipay": "支付宝", "unionpay": "银联云闪付"}


class PayDesk(CodeDesk, Protocol):
    """What paying needs of the gateway."""

    async def open_fen(self, address: str) -> int | None:
        """Return what is open on a bill; None when the cloud is away."""
        ...

    async def record_receipt(self, bill_number: str, amount_fen: int, channel: str = SCAN) -> None:
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
        codes: Codes,
    ) -> None:
        self._desk = desk
        self._dues = dues
        self._render = render
        self._guesses = guesses
        self._now = now
        self._codes = codes

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/bill", self._scanned, methods=["POST"]),
            Route("/bill/{token}", self._show),
            Route("/bill/{token}/state", self._state),
            Route("/bill/{token}/receipt", self._receipt, methods=["POST"]),
            Route("/bill/{token}/code", self._take_code, methods=["POST"]),
            Route("/bill/{token}/wishes/{wish}", self._wish),
            Route("/bill/{token}/wishes/{wish}/state", self._wish_state),
            Route("/bill/{token}/wishes/{wish}/receipt", self._wish_receipt, methods=["POST"]),
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
            "pay.html",
            room=room,
            bill=bill,
            open_fen=open_fen,
            drawn=drawn,
            state_s=STATE_S,
            token=bill.token,
            offer=await self._codes.offer(bill.token) if open_fen else None,
        )

    async def _take_code(self, request: Request) -> Response:
        """Hand the payer's code over, once, and show what became of it."""
        form = await read_form(request)
        if not self._guesses.allow(f"code {address_of(request)}"):
            return self._render.message("too_many", code=TOO_MANY)
        found = self._dues().find_bill(request.path_params["token"])
        if found is None:
            return self._render.message("no_such_bill", code=NOT_FOUND)
        token, wish = found[1].token, parse_id(form.get("wish", ""))
        await self._codes.pay(wish, token, form.get("amount", ""), form.get("code", ""))
        return RedirectResponse(f"/bill/{token}/wishes/{wish}", status_code=303)

    async def _wish(self, request: Request) -> Response:
        found = self._dues().find_bill(request.path_params["token"])
        if found is None:
            return self._render.message("no_such_bill", code=NOT_FOUND)
        room, bill = found
        wish = await self._codes.look(parse_id(request.path_params["wish"]), bill.token)
        return self._render.page("wish.html", room=room, bill=bill, wish=wish, token=bill.token, state_s=CODE_STATE_S)

    async def _wish_state(self, request: Request) -> Response:
        """Tell where a wish stands; the page asks every few seconds."""
        wish = await self._codes.look(parse_id(request.path_params["wish"]), request.path_params["token"])
        state = "away" if wish.away and wish.is_open else wish.shown
        return JSONResponse({"state": state}, headers={"Cache-Control": "no-store"})

    async def _wish_receipt(self, request: Request) -> Response:
        found = self._dues().find_bill(request.path_params["token"])
        if found is None:
            return self._render.message("no_such_bill", code=NOT_FOUND)
        room, bill = found
        wish = await self._codes.look(parse_id(request.path_params["wish"]), bill.token)
        if wish.shown != "paid" or wish.answer is None:
            return self._render.message("not_paid_yet")
        paid = wish.answer
        await self._desk.record_receipt(bill.number, paid.amount_fen, paid.channel)
        printed = await self._desk.print(receipt(self._slip(room, bill, paid), bill.pay_address))
        return self._render.message(f"receipt_{printed.value}")

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

    def _slip(self, room: RoomDues, bill: DueBill, paid: ChargeAnswer) -> list[Line]:
        return [
            Line(text="缴费凭条", big=True, centre=True),
            Line(text=f"房号 {room.room}"),
            Line(text=f"账单 {bill.number}"),
            Line(text=f"收据号 {paid.receipt}"),
            Line(text=f"付款码 {WALLETS.get(paid.channel, paid.channel)}"),
            Line(text="实收", right=f"￥{format_minor(paid.amount_fen, CNY)}", big=True),
            Line(text=f"{self._now():%Y-%m-%d %H:%M} UTC"),
            Line(text="扫码查看账单与收据"),
        ]

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
