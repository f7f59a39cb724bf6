"""Runs the devices of a described site as one process: `python -m tests.simulation.devices --site F --clock F --log D`.

Says `ready` on its standard output when every line is served; the addresses in use stand in `addresses.json` of the
log folder, beside one exchange log a line. Ends on SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from common.errors import RefusalError
from tests.simulation.devices.description import load_site
from tests.simulation.devices.dial import PaceFileClock
from tests.simulation.devices.house import serve_site


async def run(site_file: Path, clock_file: Path, folder: Path, control: Path | None) -> None:
    """Serve the site until a signal ends it."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serve_site(load_site(site_file), PaceFileClock(clock_file), folder, control):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> int:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.devices", description=__doc__)
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--clock", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--control", type=Path, default=None)
    arguments = parser.parse_args()
    arguments.log.mkdir(parents=True, exist_ok=True)
    try:
        asyncio.run(run(arguments.site, arguments.clock, arguments.log, arguments.control))
    except RefusalError as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
