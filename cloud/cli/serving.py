"""The command that answers the API and the pages."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from typing_extensions import override

from cloud.api import build_api
from cloud.app import listening_socket, running_services
from cloud.cli.stopping import on_signal
from cloud.house import open_house
from cloud.kit.logs import configure_logging
from cloud.settings import read_settings

_GRACE_S = 5


def serve(options: argparse.Namespace) -> None:
    """Answer the API and the pages until told to stop."""
    configure_logging("serve")
    settings = read_settings(options.home)
    listening = listening_socket(settings.host, settings.port)
    with listening, open_house(settings) as house:

        async def run() -> None:
            async with running_services(house, house.database.app) as services:
                server = _Server(
                    uvicorn.Config(
                        build_api(services), log_config=None, access_log=False, timeout_graceful_shutdown=_GRACE_S
                    )
                )
                on_signal(server.leave)
                await server.serve(sockets=[listening])

        asyncio.run(run())


class _Server(uvicorn.Server):
    """uvicorn without its signal handling, which would end the process before the house is closed."""

    @contextmanager
    @override
    def capture_signals(self) -> Iterator[None]:
        yield

    def leave(self) -> None:
        self.should_exit = True


COMMANDS: dict[str, tuple[Callable[[argparse.Namespace], None], str, dict[str, dict[str, Any]]]] = {
    "serve": (serve, "the API and the pages, until SIGTERM or Ctrl-C", {}),
}
