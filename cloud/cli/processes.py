"""The commands that make a home and run its processes."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from typing_extensions import override

from cloud import migrations
from cloud.api import build_api
from cloud.app import embedded, listening_socket, open_house, running_services
from cloud.kit.secretbox import make_key_file
from cloud.kit.telemetry import configure_logging
from cloud.settings import SECRET_KEY_FILE, SETTINGS_FILE, read_settings
from cloud.worker import Worker

_GRACE_S = 5
_MILLI = 1_000
_SETTINGS_TEXT = """\
# Settings of this cloud; every line is optional. See cloud/settings.py for what each means.
# host: 127.0.0.1
# port: 8080
# public_url: http://127.0.0.1:8080
"""


def init(options: argparse.Namespace) -> None:
    """Make a home folder; what is there already stays."""
    options.home.mkdir(parents=True, exist_ok=True)
    make_key_file(options.home / SECRET_KEY_FILE)
    settings = options.home / SETTINGS_FILE
    if not settings.exists():
        settings.write_text(_SETTINGS_TEXT, encoding="utf-8")


def migrate(options: argparse.Namespace) -> None:
    """Bring the database to the newest schema; the embedded one also on every start."""
    settings = read_settings(options.home)
    if settings.database is not None:
        migrations.upgrade(settings.database.owner)
        return
    with open_house(settings):
        pass


def forget(options: argparse.Namespace) -> None:
    """Delete the embedded database of a home, for good."""
    embedded(options.home).forget()


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
                _on_signal(server.leave)
                await server.serve(sockets=[listening])

        asyncio.run(run())


def work(options: argparse.Namespace) -> None:
    """Do jobs and keep schedules until told to stop."""
    configure_logging("worker")
    settings = read_settings(options.home)
    with open_house(settings) as house:

        async def run() -> None:
            stop = asyncio.Event()
            async with running_services(house, house.database.worker) as services:
                worker = Worker(
                    services,
                    house.database.worker,
                    name=f"worker-{os.getpid()}",
                    lanes=settings.lanes,
                    poll_s=settings.poll_ms / _MILLI,
                )
                if settings.worker_metrics_port is not None:
                    worker.serve_metrics(settings.host, settings.worker_metrics_port)
                _on_signal(stop.set)
                await worker.run(stop)

        asyncio.run(run())


class _Server(uvicorn.Server):
    """uvicorn without its signal handling, which would end the process before the house is closed."""

    @contextmanager
    @override
    def capture_signals(self) -> Iterator[None]:
        yield

    def leave(self) -> None:
        self.should_exit = True


def _on_signal(act: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, act)


COMMANDS: dict[str, tuple[Callable[[argparse.Namespace], None], str, dict[str, dict[str, Any]]]] = {
    "init": (init, "make a home folder: secret key and settings file", {}),
    "migrate": (migrate, "bring the database to the newest schema", {}),
    "serve": (serve, "the API and the pages, until SIGTERM or Ctrl-C", {}),
    "worker": (work, "jobs and schedules, until SIGTERM or Ctrl-C", {}),
    "forget": (forget, "delete the embedded database of the home, for good", {}),
}
