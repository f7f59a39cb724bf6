"""The pages as a starlette application: kiosk, technician, status and metrics. Everything is served from the box.

Forms are read with a bound; guesses of room codes and of the PIN are limited; a page shows what is on board and says
as of when. Nothing here changes a reading, a bill or a tariff.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo

from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from common.errors import RefusalError
from common.ids import MeterId
from edge.clock import monotonic_s
from edge.kiosk.charging import ChargingPages
from edge.kiosk.codes import Codes
from edge.kiosk.commissioning_pages import CommissioningPages
from edge.kiosk.doors import DoorPages
from edge.kiosk.parking import ParkingPages
from edge.kiosk.paying import PayPages
from edge.kiosk.rendering import (
    FORBIDDEN,
    HERE,
    NOT_FOUND,
    REFUSED,
    TOO_MANY,
    Handler,
    Renderer,
    address_of,
    parse_id,
    read_form,
)
from edge.kiosk.sessions import Guesses, TechnicianSessions
from edge.kiosk.views import MeterView, Sources, meter_views, status, wire_views
from edge.kiosk.voice import Voice
from edge.telemetry import Probe, Probes

COOKIE = "gatehouse-technician"
CODE_PREFIX = "gatehouse-enrol:"  # how the office's screen shows a one-time code as QR


class Pages:
    """The handlers and what they look at; what they refuse is counted in the registry of the sources."""

    def __init__(
        self,
        sources: Sources,
        sessions: TechnicianSessions,
        guesses: Guesses,
        zone: Callable[[], tzinfo],
        idle_s: int,
    ) -> None:
        self._refusals = dict.fromkeys(("wrong code", "wrong PIN", "too many guesses", "faulty input"), 0)
        sources.registry.register(Probes([self._probe()]))
        self._sources = sources
        self._sessions = sessions
        self._guesses = guesses
        self._voice = Voice()
        self._render = Renderer(zone, idle_s, self._voice.key_of)
        self._page, self._message = self._render.page, self._render.message
        self._parking = ParkingPages(sources.parking, self._render, guesses)
        self._charging = ChargingPages(sources.charging, self._render)
        self._doors = DoorPages(sources.access, self._render)
        self._commissioning = CommissioningPages(sources, self._render)
        codes = Codes(sources.pay, monotonic_s)
        self._paying = PayPages(sources.pay, sources.dues, self._render, guesses, sources.clock.now, codes)

    def application(self) -> Starlette:
        """Return the application with all routes."""
        signed_in = self._signed_in
        return Starlette(
            routes=[
                Route("/", self._home),
                Route("/dues", self._find_dues, methods=["POST"]),
                Route("/technician", self._technician),
                Route("/technician/sign-in", self._sign_in, methods=["POST"]),
                Route("/technician/meters/{meter_id}", signed_in(self._meter)),
                Route("/technician/meters/{meter_id}/read", signed_in(self._read_meter), methods=["POST"]),
                Route("/technician/enrol", signed_in(self._enrol), methods=["POST"]),
                *self._parking.routes(signed_in),
                *self._charging.routes(signed_in),
                *self._doors.routes(signed_in),
                *self._commissioning.routes(signed_in),
                *self._paying.routes(),
                Route("/voice/{key}", self._speak),
                Route("/status", self._status),
                Route("/metrics", self._metrics),
                Mount("/static", StaticFiles(directory=HERE / "static")),
            ],
            exception_handlers={RefusalError: self._refused, HTTPException: self._failed},
        )

    async def _home(self, _: Request) -> Response:
        return self._page("home.html", as_of=self._sources.dues().as_of)

    async def _find_dues(self, request: Request) -> Response:
        """Answer a room and code; a wrong pair and an unknown room look the same."""
        form = await read_form(request)
        if self._too_many(f"dues {address_of(request)}"):
            return self._message("too_many", code=TOO_MANY)
        book = self._sources.dues()
        found = book.find(form.get("room", ""), form.get("code", ""))
        if book.as_of is None:
            return self._message("no_dues_yet", code=NOT_FOUND)
        if found is None:
            self._refusals["wrong code"] += 1
            return self._message("not_found", code=NOT_FOUND)
        return self._page("dues.html", found=found)

    async def _technician(self, request: Request) -> Response:
        if not self._sessions.holds(request.cookies.get(COOKIE)):
            return self._page("sign_in.html", wrong=False)
        return self._page(
            "technician.html",
            wires=wire_views(self._sources),
            meters=meter_views(self._sources),
            status=await status(self._sources),
            name=self._sources.gateway_name(),
            now=self._sources.clock.now(),
            completed=self._sources.board.completed(),
            quality=await self._commissioning.qualities(),
            drafts=self._commissioning.drafts(),
        )

    async def _sign_in(self, request: Request) -> Response:
        form = await read_form(request)
        if self._too_many(f"pin {address_of(request)}"):
            return self._message("too_many", code=TOO_MANY)
        token = self._sessions.open(form.get("pin", ""))
        if token is None:
            self._refusals["wrong PIN"] += 1
            return self._page("sign_in.html", code=FORBIDDEN, wrong=True)
        answer = RedirectResponse("/technician", status_code=303)
        answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", path="/technician")
        return answer

    async def _meter(self, request: Request) -> Response:
        meter = self._find_meter(request)
        return self._page(
            "meter.html",
            meter=meter,
            quality=await self._commissioning.qualities(),
            compared=self._commissioning.compared(meter.meter_id),
            by=self._commissioning.last_by,
        )

    async def _read_meter(self, request: Request) -> Response:
        meter = self._find_meter(request)
        await self._sources.read_now(MeterId(parse_id(meter.meter_id)))
        return RedirectResponse(f"/technician/meters/{meter.meter_id}", status_code=303)

    async def _enrol(self, request: Request) -> Response:
        form = await read_form(request)
        done = await self._sources.enrol(form.get("code", "").strip().removeprefix(CODE_PREFIX))
        return self._message("enrolled", detail=done)

    async def _speak(self, request: Request) -> Response:
        sound = await self._voice.sound(request.path_params["key"])
        if sound is None:
            raise HTTPException(NOT_FOUND)
        return Response(sound, media_type="audio/wav")

    async def _status(self, _: Request) -> Response:
        return JSONResponse(await status(self._sources))

    async def _metrics(self, _: Request) -> Response:
        return Response(generate_latest(self._sources.registry), media_type=CONTENT_TYPE_LATEST)

    def _probe(self) -> Probe:
        return Probe(
            name="gatehouse_kiosk_refusals",
            about="What the pages refused since start, by reason",
            labels=("reason",),
            counts=True,
            read=lambda: [((reason,), count) for reason, count in self._refusals.items()],
        )

    def _too_many(self, guesser: str) -> bool:
        """Return whether somebody guesses more often than is allowed, and count it."""
        allowed = self._guesses.allow(guesser)
        self._refusals["too many guesses"] += not allowed
        return not allowed

    def _find_meter(self, request: Request) -> MeterView:
        meter_id = request.path_params["meter_id"]
        for meter in meter_views(self._sources):
            if meter.meter_id == meter_id:
                return meter
        raise HTTPException(NOT_FOUND)

    def _signed_in(self, handler: Handler) -> Handler:
        async def guarded(request: Request) -> Response:
            if not self._sessions.holds(request.cookies.get(COOKIE)):
                return RedirectResponse("/technician", status_code=303)
            return await handler(request)

        return guarded

    async def _refused(self, _: Request, refusal: Exception) -> Response:
        self._refusals["faulty input"] += 1
        return self._message("refused", detail=str(refusal), code=REFUSED)

    async def _failed(self, _: Request, failure: Exception) -> Response:
        code = failure.status_code if isinstance(failure, HTTPException) else NOT_FOUND
        return self._message("nothing_here", code=code)
