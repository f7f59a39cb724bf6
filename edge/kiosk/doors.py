"""Doors on the technician's page: a list, and opening by hand, which is on record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from edge.driver.door_events import DoorAnswer
from edge.kiosk.rendering import Handler, Renderer, read_form


class AccessDesk(Protocol):
    """What the pages need of access."""

    @property
    def doors(self) -> Sequence[str]:
        """Return the doors."""
        ...

    async def open_by_hand(self, door: str) -> DoorAnswer:
        """Open a door."""
        ...


class DoorPages:
    """The handlers of doors."""

    def __init__(self, desk: AccessDesk, render: Renderer) -> None:
        self._desk = desk
        self._render = render

    def routes(self, signed_in: Callable[[Handler], Handler]) -> list[Route]:
        """Return the routes; `signed_in` guards them all."""
        return [
            Route("/technician/doors", signed_in(self._list)),
            Route("/technician/doors/open", signed_in(self._open), methods=["POST"]),
        ]

    async def _list(self, _: Request) -> Response:
        return self._render.page("doors.html", doors=self._desk.doors)

    async def _open(self, request: Request) -> Response:
        form = await read_form(request)
        answer = await self._desk.open_by_hand(form.get("door", ""))
        return self._render.message(f"door_{answer.value}")
