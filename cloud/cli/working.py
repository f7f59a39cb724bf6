"""The command that does jobs and keeps schedules."""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
from collections.abc import Callable
from typing import Any

from cloud.app import running_services
from cloud.cli.stopping import on_signal
from cloud.house import open_house
from cloud.kit.logs import configure_logging
from cloud.settings import read_settings
from cloud.worker import Worker

_MILLI = 1_000


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
                    name=f"worker-{os.getpid()}-{secrets.token_hex(4)}",
                    lanes=settings.lanes,
                    poll_s=settings.poll_ms / _MILLI,
                )
                if settings.worker_metrics_port is not None:
                    worker.serve_metrics(settings.host, settings.worker_metrics_port)
                on_signal(stop.set)
                await worker.run(stop)

        asyncio.run(run())


COMMANDS: dict[str, tuple[Callable[[argparse.Namespace], None], str, dict[str, dict[str, Any]]]] = {
    "worker": (work, "jobs and schedules, until SIGTERM or Ctrl-C", {}),
}
