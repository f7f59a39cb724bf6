"""An MQTT broker of its own process for demo and tests: Mosquitto where it is installed, else the amqtt package.

Loopback only, no login, nothing kept on disk. Run as a module it is the amqtt broker itself.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import shutil
import signal
import socket
import sys
from pathlib import Path

from tests.simulation.processes import Process, free_port, wait_until

_UP_SECONDS = 15.0
_SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
_MOSQUITTO_SETTINGS = """listener {port} 127.0.0.1
allow_anonymous true
persistence false
set_tcp_nodelay true
"""


def mosquitto_program() -> str | None:
    """Return the path of Mosquitto, or None when it is not installed."""
    return shutil.which("mosquitto", path=_SYSTEM_PATH)


def broker_process(folder: Path, port: int, *, program: str | None) -> Process:
    """Return the broker's process, not started; `program` is Mosquitto's path, None takes amqtt."""
    if program is None:
        command = [sys.executable, "-m", "tests.simulation.broker", "--port", str(port)]
    else:
        settings = folder / "mosquitto.conf"
        settings.write_text(_MOSQUITTO_SETTINGS.format(port=port), encoding="utf-8")
        command = [program, "-c", str(settings)]
    return Process(name="broker", command=command, log=folder / "broker.log")


def start_broker(folder: Path, *, program: str | None, port: int = 0) -> tuple[Process, str]:
    """Start a broker and wait until it listens; return its process and its address, host:port.

    `program` is what `mosquitto_program` found; None takes amqtt. `port` 0 takes a free one.

    Raises:
        RefusalError: it did not come up; the message carries the end of its log.
    """
    chosen = port or free_port()
    process = broker_process(folder, chosen, program=program)
    process.start()
    wait_until(lambda: _listens(chosen), what="the broker", seconds=_UP_SECONDS, watched=[process])
    return process, f"127.0.0.1:{chosen}"


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def _serve(port: int) -> None:
    """Be the amqtt broker until a signal comes."""
    from amqtt.broker import Broker  # noqa: PLC0415 - only this process needs the package

    settings = {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}", "max_connections": 200}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
    broker = Broker(settings)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with asyncio.timeout(_UP_SECONDS):
        await broker.start()
    await stop.wait()
    async with asyncio.timeout(_UP_SECONDS):
        await broker.shutdown()


def main() -> int:
    """Run the amqtt broker in this process."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.broker", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(_serve(parser.parse_args().port))
    return 0


if __name__ == "__main__":
    sys.exit(main())
