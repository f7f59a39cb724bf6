"""Charging piles on the gateway's pages: what they do now, what a charge has taken and costs; start and stop by hand.

The board is open to all and shows no card; starting and stopping is the technician's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from edge.kiosk.rendering import Handler, Renderer, parse_id, read_form


class PileShown(Protocol):
    """A connector as charging shows it."""

    @property
    def pile(self) -> str:
        """Return the pile's number."""
        ...

    @property
    def label(self) -> str:
        """Return its name."""
        ...

    @property
    def connector(self) -> int:
        """Return the connector, from 1."""
        ...

    @property
    def plug(self) -> str:
        """Return what it does."""
        ...


class ChargeShown(Protocol):
    """A charge as charging shows it."""

    @property
    def session_id(self) -> UUID:
        """Return the charge."""
        ...

    @property
    def pile(self) -> str:
        """Return the pile."""
        ...

    @property
    def connector(self) -> int:
        """Return the connector."""
        ...

    @property
    def started(self) -> datetime:
        """Return when it began."""
        ...

    @property
    def kwh(self) -> str:
        """Return the energy so far."""
        ...

    @property
    def ended(self) -> bool:
        """Return whether only the plug is still in."""
        ...

    @property
    def cost_fen(self) -> int | None:
        """Return the cost so far; None without a price."""
        ...


class ChargingDesk(Protocol):
    """What the pages need of charging."""

    def piles(self) -> Sequence[PileShown]:
        """Return the connectors of the site."""
        ...

    def charges(self) -> Sequence[ChargeShown]:
        """Return the charges under way."""
        ...

    async def start(self, pile: str, connector: int, card: str) -> str:
        """Ask a pile to begin a charge."""
        ...

    async def stop(self, session_id: UUID) -> str:
        """Ask a pile to end a charge."""
        ...


class ChargingPages:
    """The handlers of charging."""

    def __init__(self, desk: ChargingDesk, render: Renderer) -> None:
        self._desk = desk
        self._render = render

    def routes(self, signed_in: Callable[[Handler], Handler]) -> list[Route]:
        """Return the routes; `signed_in` guards those of the technician."""
        return [
            Route("/charging", self._board),
            Route("/technician/charging", signed_in(self._tended)),
            Route("/technician/charging/start", signed_in(self._start), methods=["POST"]),
            Route("/technician/charging/{session_id}/stop", signed_in(self._stop), methods=["POST"]),
        ]

    async def _board(self, _: Request) -> Response:
        return self._page(tended=False)

    async def _tended(self, _: Request) -> Response:
        return self._page(tended=True)

    async def _start(self, request: Request) -> Response:
        form = await read_form(request)
        connector = form.get("connector", "1")
        number = int(connector) if connector.isascii() and connector.isdigit() else 1
        answer = await self._desk.start(form.get("pile", ""), number, form.get("card", ""))
        return self._render.message(f"pile_{answer}")

    async def _stop(self, request: Request) -> Response:
        answer = await self._desk.stop(parse_id(request.path_params["session_id"]))
        return self._render.message(f"pile_{answer}")

    def _page(self, *, tended: bool) -> Response:
        return self._render.page("charging.html", piles=self._desk.piles(), charges=self._desk.charges(), tended=tended)
