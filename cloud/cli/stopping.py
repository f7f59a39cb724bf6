"""How a process of ours is told to stop: SIGTERM or Ctrl-C, inside its loop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable


def on_signal(act: Callable[[], None]) -> None:
    """Call something when the process is told to stop."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, act)
