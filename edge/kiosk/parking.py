"""Parking at the kiosk and at the gate office: find the own car and what it owes; tend the cars inside.

A resident finds a car by its whole plate or ticket code only, and sees no other; the list is the technician's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from common.errors import RefusalError
from common.money.amount import parse_money
from edge.kiosk.rendering import NOT_FOUND, TOO_MANY, Handler, Renderer, address_of, parse_id, read_form
from edge.kiosk.sessions import Guesses

PLATE_KEYS = "京沪浙苏粤皖鲁川渝津冀豫鄂湘闽赣陕辽吉黑晋蒙桂琼贵云藏甘青宁新"


class Stayed(Protocol):
    """A car inside as the gate shows it."""

    @property
    def session_id(self) -> UUID:
        """Return the session."""
        ...

    @property
    def lot(self) -> str:
        """Return the lot."""
        ...

    @property
    def plate(self) -> str:
        """Return the plate or ticket code."""
        ...

    @property
    def vehicle_class(self) -> str:
        """Return how it is charged."""
        ...

    @property
    def entered(self) -> datetime:
        """Return when it entered."""
        ...

    @property
    def minutes(self) -> int:
        """Return how long it has stayed."""
        ...

    @property
    def owed_fen(self) -> int | None:
        """Return what is to be paid now; None when there is no price on board."""
        ...

    @property
    def grace_minutes(self) -> int:
        """Return how long the way to the exit may take after paying."""
        ...


class Lane(Protocol):
    """A lane as the gate shows it."""

    @property
    def camera(self) -> str:
        """Return the camera's number."""
        ...

    @property
    def lot(self) -> str:
        """Return the lot."""
        ...

    @property
    def is_exit(self) -> bool:
        """Return whether cars leave by it."""
        ...


class ParkingDesk(Protocol):
    """What the pages need of the gate."""

    async def settle(self, session_id: UUID, amount_fen: int) -> None:
        """Note that a stay was paid."""
        ...

    async def correct(self, session_id: UUID, plate: str) -> None:
        """Correct the plate of a car inside."""
        ...

    async def leave_by_ticket(self, camera: str, code: str) -> None:
        """Let the car that waits at an exit leave on its code, when it may."""
        ...

    async def open_by_hand(self, camera: str) -> None:
        """Open a lane without a session."""
        ...

    async def end(self, session_id: UUID, *, let_go: bool) -> None:
        """End a stay by hand."""
        ...

    def occupancy(self) -> Mapping[str, int]:
        """Return how many cars stand in each lot."""
        ...

    def lanes(self) -> Sequence[Lane]:
        """Return the lanes."""
        ...

    def stays(self) -> Sequence[Stayed]:
        """Return the cars inside."""
        ...

    def find(self, text: str) -> Stayed | None:
        """Return the car of a plate or ticket code."""
        ...


class ParkingPages:
    """The handlers of parking."""

    def __init__(self, desk: ParkingDesk, render: Renderer, guesses: Guesses) -> None:
        self._desk = desk
        self._render = render
        self._guesses = guesses

    def routes(self, signed_in: Callable[[Handler], Handler]) -> list[Route]:
        """Return the routes; `signed_in` guards those of the technician."""
        return [
            Route("/parking", self._look_up),
            Route("/parking", self._show, methods=["POST"]),
            Route("/parking/leave", self._leave, methods=["POST"]),
            Route("/technician/parking", signed_in(self._list)),
            Route("/technician/parking/open", signed_in(self._open), methods=["POST"]),
            Route("/technician/parking/{session_id}", signed_in(self._tend), methods=["POST"]),
        ]

    async def _look_up(self, _: Request) -> Response:
        return self._render.page("parking_look_up.html", keys=PLATE_KEYS)

    async def _show(self, request: Request) -> Response:
        """Show one car; a plate that is not inside and one that never was look the same."""
        form = await read_form(request)
        if not self._guesses.allow(f"plate {address_of(request)}"):
            return self._render.message("too_many", code=TOO_MANY)
        stay = self._desk.find(form.get("plate", ""))
        if stay is None:
            return self._render.message("no_such_car", code=NOT_FOUND)
        exits = [lane for lane in self._desk.lanes() if lane.is_exit and lane.lot == stay.lot]
        return self._render.page("parking_fee.html", stay=stay, exits=exits)

    async def _leave(self, request: Request) -> Response:
        """Let the car that waits at an exit leave on its ticket code, when the gate finds that it may."""
        form = await read_form(request)
        if not self._guesses.allow(f"plate {address_of(request)}"):
            return self._render.message("too_many", code=TOO_MANY)
        await self._desk.leave_by_ticket(form.get("camera", ""), form.get("plate", ""))
        return self._render.message("asked_to_leave")

    async def _list(self, _: Request) -> Response:
        return self._render.page(
            "parking.html", stays=self._desk.stays(), lanes=self._desk.lanes(), occupancy=self._desk.occupancy()
        )

    async def _open(self, request: Request) -> Response:
        form = await read_form(request)
        await self._desk.open_by_hand(form.get("camera", ""))
        return RedirectResponse("/technician/parking", status_code=303)

    async def _tend(self, request: Request) -> Response:
        """Correct a plate, note a payment or end a stay, whichever the form says."""
        form = await read_form(request)
        session_id = parse_id(request.path_params["session_id"])
        match form:
            case {"plate": plate}:
                await self._desk.correct(session_id, plate)
            case {"yuan": yuan}:
                await self._desk.settle(session_id, parse_money(yuan).minor)
            case {"end": "left" | "never" as how}:
                await self._desk.end(session_id, let_go=how == "left")
            case _:
                raise RefusalError("the form says nothing to do; open the page again")
        return RedirectResponse("/technician/parking", status_code=303)
