"""Serves the pages on one port, beside everything else; a port that is taken never stops the gateway's work."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import structlog
import uvicorn
from starlette.applications import Starlette
from typing_extensions import override

from common.errors import RefusalError

BIND_RETRY_S = 10.0
CONNECTIONS_MAX = 64
_log = structlog.get_logger()


class _QuietServer(uvicorn.Server):
    """A server that leaves signals to the process."""

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class PageServer:
    """Owns the port. `refusals` counts how often it could not be had."""

    def __init__(self, application: Starlette, host: str, port: int) -> None:
        self._application = application
        self._host = host
        self._port = port
        self.refusals = 0
        self.bound: tuple[str, int] | None = None

    async def run(self) -> None:
        """Serve until cancelled; while the port is taken, say so and try again."""
        while True:
            try:
                listener = open_port(self._host, self._port)
            except RefusalError as refusal:
                self.refusals += 1
                _log.error("pages_refused", reason=str(refusal))
                await asyncio.sleep(BIND_RETRY_S)
                continue
            with listener:
                await self._serve(listener)

    async def _serve(self, listener: socket.socket) -> None:
        name = listener.getsockname()
        self.bound = (name[0], name[1])
        _log.info("pages_served", host=name[0], port=name[1])
        server = _QuietServer(
            uvicorn.Config(
                self._application,
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                server_header=False,
                limit_concurrency=CONNECTIONS_MAX,
                timeout_graceful_shutdown=1,
            )
        )
        try:
            await server.serve(sockets=[listener])
        except asyncio.CancelledError:
            server.force_exit = True
            await server.shutdown(sockets=[listener])
            raise


def open_port(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Raises:
        RefusalError: the port is taken or may not be had.
    """
    try:
        return socket.create_server((host, port), backlog=CONNECTIONS_MAX)
    except OSError as error:
        raise RefusalError(
            f"pages: port {port} on {host}: {error.strerror}; stop who holds it or set pages.port"
        ) from error
