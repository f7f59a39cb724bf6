"""Plate cameras that push over HTTP to a port of ours: Zhenshi, Huaxia, Hikvision and Dahua.

    POST /push/<camera>        a car; answered after the gate has stored its decision
    POST /push/<camera>/beat   a Zhenshi or Huaxia heartbeat, whose answer may open the barrier a little later

Invariants: a camera is answered only when its record is durable, so what was not is sent again; a body is bounded
before it is read whole and a hostile one costs one line in the log; a camera that is not of the site is turned away.
The path names the camera: such cameras belong in a network of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import httpx
import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from typing_extensions import override

from common.clock import Clock
from common.errors import RefusalError
from edge.driver.gate_events import BarrierAnswer, PlateColour, PlateSeen, Post
from edge.driver.gate_mqtt import split_address
from edge.driver.outcome import WireConfig, WireStats
from edge.driver.signs import Sign, board_frames
from edge.protocol import cameras
from edge.protocol.cameras import BODY_BYTES_MOST, CameraReport
from edge.transport.web import web_client

EVENTS_WAITING_MOST = 1_000
ANSWER_S_MOST = 3.0
BEAT_S_MOST = 35.0  # cameras beat every 5 or 30 s
COMMAND_S_MOST = 3.0
CONNECTIONS_MOST = 64
_OK, _NOT_FOUND, _TOO_LARGE, _BAD, _LATER = 200, 404, 413, 400, 503
_LOG = structlog.get_logger()


class CameraFamily(StrEnum):
    """Families of cameras that push; the words of a lane's `model`."""

    ZHENSHI = "zhenshi-http"
    HUAXIA = "huaxia-http"
    HIKVISION = "hikvision-isapi"
    DAHUA = "dahua-itsapi"


_PARSERS: Mapping[CameraFamily, Callable[[bytes], CameraReport]] = {
    CameraFamily.ZHENSHI: cameras.parse_zhenshi_push,
    CameraFamily.HIKVISION: cameras.parse_hikvision,
    CameraFamily.DAHUA: cameras.parse_dahua,
    CameraFamily.HUAXIA: cameras.parse_huaxia,
}
_OPENS_BY_ANSWER = frozenset({CameraFamily.ZHENSHI, CameraFamily.HUAXIA})


@dataclass(slots=True)
class _Waiting:
    """A push that is not answered yet."""

    opens: bool = False
    sign: Sign | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)


class _QuietServer(uvicorn.Server):
    """A server that leaves signals to the process."""

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpGateWire:
    """The owner of the port."""

    def __init__(self, config: WireConfig, family: CameraFamily, posts: Collection[Post], clock: Clock) -> None:
        self._config = config
        self._family = family
        self._posts = {post.camera: post for post in posts}
        self._by_barrier = {post.barrier: post for post in posts}
        self._clock = clock
        self._host, self._port = split_address(config.address)
        self._events: asyncio.Queue[PlateSeen] = asyncio.Queue(EVENTS_WAITING_MOST)
        self._waiting: dict[str, _Waiting] = {}
        self._late: dict[str, asyncio.Event] = {}
        self.stats = WireStats()
        self.bound = asyncio.Event()
        self.port = self._port

    async def run(self) -> None:
        """Serve until cancelled."""
        routes = [
            Route("/push/{camera}", self._push, methods=["POST"]),
            Route("/push/{camera}/beat", self._beat, methods=["POST"]),
        ]
        with socket.create_server((self._host, self._port), backlog=CONNECTIONS_MOST) as listener:
            self.port = listener.getsockname()[1]
            server = _QuietServer(
                uvicorn.Config(
                    Starlette(routes=routes),
                    log_config=None,
                    access_log=False,
                    lifespan="off",
                    limit_concurrency=CONNECTIONS_MOST,
                    timeout_graceful_shutdown=1,
                )
            )
            self.bound.set()
            try:
                await server.serve(sockets=[listener])
            except asyncio.CancelledError:
                server.force_exit = True
                await server.shutdown(sockets=[listener])
                raise

    async def events(self) -> AsyncIterator[PlateSeen]:
        """Return the events as they come."""
        while True:
            yield await self._events.get()

    async def open_barrier(self, barrier: str, command_key: str) -> BarrierAnswer:
        """Open by the answer to the push that waits, by the next heartbeat, or by a command of the camera's own."""
        post = self._by_barrier[barrier]
        if self._family not in _OPENS_BY_ANSWER:
            return await self._command(post)
        waiting = next((one for key, one in self._waiting.items() if command_key.startswith(key)), None)
        if waiting is not None:
            waiting.opens = True
            return BarrierAnswer.ACCEPTED
        taken = self._late.setdefault(post.camera, asyncio.Event())
        try:
            async with asyncio.timeout(BEAT_S_MOST):
                await taken.wait()
        except TimeoutError:
            self.stats.timeouts += 1
            self._late.pop(post.camera, None)
            return BarrierAnswer.UNREACHABLE
        return BarrierAnswer.ACCEPTED

    async def answer(self, seen: PlateSeen, sign: Sign | None) -> None:
        """Let the push be answered."""
        waiting = self._waiting.get(seen.event_key)
        if waiting is not None:
            waiting.sign = sign
            waiting.done.set()

    async def _push(self, request: Request) -> Response:
        camera = request.path_params["camera"]
        if camera not in self._posts:
            self.stats.refusals += 1
            return Response("this camera is not of the site\n", status_code=_NOT_FOUND)
        body = await _bounded(request)
        if body is None:
            self.stats.bad_values += 1
            _LOG.warning("camera_body_oversize", camera=camera, remedy="switch pictures off in the camera")
            return Response("too large\n", status_code=_TOO_LARGE)
        try:
            seen = self._seen(camera, body)
        except RefusalError as problem:
            self.stats.bad_values += 1
            _LOG.warning("camera_push_refused", camera=camera, reason=str(problem)[:200])
            return Response("not understood\n", status_code=_BAD)
        waiting = self._waiting.setdefault(seen.event_key, _Waiting())
        self.stats.exchanges += 1
        try:
            async with asyncio.timeout(ANSWER_S_MOST):
                await self._events.put(seen)
                await waiting.done.wait()
        except TimeoutError:
            self.stats.timeouts += 1
            return Response("later\n", status_code=_LATER)
        finally:
            self._waiting.pop(seen.event_key, None)
        self.stats.answers += 1
        return self._answer(camera, waiting, seen)

    async def _beat(self, request: Request) -> Response:
        camera = request.path_params["camera"]
        if camera not in self._posts:
            self.stats.refusals += 1
            return Response("this camera is not of the site\n", status_code=_NOT_FOUND)
        await _bounded(request)
        late = self._late.pop(camera, None)
        if late is not None:
            late.set()
        return Response(self._opening(opens=late is not None), media_type="application/json")

    def _answer(self, camera: str, waiting: _Waiting, seen: PlateSeen) -> Response:
        if self._family not in _OPENS_BY_ANSWER:
            return Response("OK")
        board = self._posts[camera].board
        frames = () if board is None or waiting.sign is None else board_frames(board, waiting.sign)
        more = seen.event_key.split(":")[1] if seen.stored_offline else None
        return Response(self._opening(opens=waiting.opens, frames=frames, more=more), media_type="application/json")

    def _opening(self, *, opens: bool, frames: tuple[bytes, ...] = (), more: str | None = None) -> bytes:
        if self._family is CameraFamily.HUAXIA:
            return cameras.huaxia_answer(opens=opens)
        return cameras.zhenshi_answer(opens=opens, frames=frames, more_offline=more)

    def _seen(self, camera: str, body: bytes) -> PlateSeen:
        report = _PARSERS[self._family](_xml_part(body))
        if self._family is CameraFamily.ZHENSHI and report.camera not in {"", camera}:
            raise RefusalError(
                f"a report of camera {report.camera} came to the address of {camera}; check its settings"
            )
        at = report.at or self._clock.now()
        number = report.number or hashlib.sha256(body).hexdigest()[:16]
        return PlateSeen(
            camera=camera,
            event_key=f"{camera}:{number}:{int(at.timestamp())}",
            plate=report.plate,
            colour=PlateColour(report.colour),
            confidence=max(0, min(report.confidence, 100)),
            seen_at=at,
            stored_offline=report.stored_offline,
            raw=b"",
        )

    async def _command(self, post: Post) -> BarrierAnswer:
        """Tell a camera with a command interface of its own to open; sent once."""
        host, _, channel = post.barrier.partition("/")
        root, login = f"http://{host}", None if post.login is None else httpx.DigestAuth(*post.login)
        try:
            async with asyncio.timeout(COMMAND_S_MOST), web_client(root, login) as http:
                if self._family is CameraFamily.HIKVISION:
                    path = cameras.HIKVISION_OPEN_PATH.format(channel=channel or 1)
                    answer = await http.put(f"{root}{path}", content=cameras.hikvision_open())
                else:
                    answer = await http.get(f"{root}{cameras.DAHUA_OPEN_PATH.format(channel=channel or 1)}")
        except httpx.ConnectError:
            return BarrierAnswer.UNREACHABLE
        except (TimeoutError, httpx.HTTPError):
            self.stats.timeouts += 1
            return BarrierAnswer.UNKNOWN
        return BarrierAnswer.ACCEPTED if answer.status_code == _OK else BarrierAnswer.REFUSED


async def _bounded(request: Request) -> bytes | None:
    """Return a body, None as soon as it is past its bound."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MOST:
            return None
    return body


def _xml_part(body: bytes) -> bytes:
    """Return the XML document inside a multipart body with pictures, or the body as it is."""
    if not body.startswith(b"--"):
        return body
    start = body.find(b"<EventNotificationAlert")
    end = body.find(b"</EventNotificationAlert>")
    return body if start < 0 or end < start else body[start : end + len(b"</EventNotificationAlert>")]
