"""`python -m tests.simulation.wechat --dir DIR --clock FILE --port 0`: the channel as a process of its own.

It writes `DIR/ready.json` ({"port", "base_url"}) when it answers, and keeps keys and book in DIR, so that it goes on
with the same data when started again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

from common.clock import Pace
from tests.simulation.wechat.channel import build_app, open_channel


def main(argv: Sequence[str] | None = None) -> int:
    """Run the channel until it is stopped."""
    parser = argparse.ArgumentParser(prog="tests.simulation.wechat", description="a simulator of WeChat Pay")
    parser.add_argument("--dir", type=Path, required=True, help="folder of keys and book")
    parser.add_argument("--clock", type=Path, help="the pace file of business time; without it, the machine's clock")
    parser.add_argument("--port", type=int, default=0, help="loopback port, 0 for a free one")
    parser.add_argument("--hurry", type=int, default=1, help="repeat notifications so many times faster")
    arguments = parser.parse_args(argv)
    arguments.dir.mkdir(parents=True, exist_ok=True)
    listener = socket.create_server(("127.0.0.1", arguments.port))
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    channel = open_channel(arguments.dir, business_now(arguments.clock), hurry=arguments.hurry)
    channel.base_url = base_url
    config = uvicorn.Config(build_app(channel), log_level="warning", access_log=False, lifespan="on")
    ready = {"port": listener.getsockname()[1], "base_url": base_url}
    written = arguments.dir / "ready.new"
    written.write_text(json.dumps(ready), encoding="utf-8")
    written.replace(arguments.dir / "ready.json")  # whoever waits for the file never sees half of it
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))
    channel.book.close()
    return 0


def business_now(clock_file: Path | None) -> Callable[[], datetime]:
    """Return the reader of business time."""
    if clock_file is None:
        return lambda: datetime.now(UTC)
    return lambda: Pace.unpack(clock_file.read_bytes()).at(time.monotonic_ns())


if __name__ == "__main__":
    sys.exit(main())
