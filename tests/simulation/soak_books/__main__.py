"""`python -m tests.simulation.soak_books [--seconds N] [--seed S]`: play seeds until the time is over.

With `--seed` that one seed is played. It prints operations, faults of each kind and breaches, and ends with 1 when
there was one. A seed decides deeds, amounts, faults and ids; which of two clients comes first is the machine's choice.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import secrets
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import structlog

from cloud.kit.clock import monotonic_s
from tests.simulation.soak_books.play import Tally, play
from tests.support.postgres import test_server

_SECONDS = 60
_SEEDS = 1 << 20


async def soak(seconds: int, seed: int | None) -> Tally:
    """Play one seed, or one after another until the time is over."""
    tally, until = Tally(), monotonic_s() + seconds
    first = secrets.randbelow(_SEEDS) if seed is None else seed
    with test_server() as server, tempfile.TemporaryDirectory(prefix="gatehouse-soak-") as folder:
        for number in range(first, first + _SEEDS):
            await play(server, Path(folder), number, tally)
            if seed is not None or tally.broken or monotonic_s() > until:
                break
    return tally


def main(argv: Sequence[str] | None = None) -> int:
    """Play and print the table."""
    parser = argparse.ArgumentParser(prog="tests.simulation.soak_books", description="months of an office under faults")
    parser.add_argument("--seconds", type=int, default=_SECONDS, help="how long to go on with new seeds")
    parser.add_argument("--seed", type=int, default=None, help="play this seed alone")
    arguments = parser.parse_args(argv)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    tally = asyncio.run(soak(arguments.seconds, arguments.seed))
    sys.stdout.write(tally.table())
    return 1 if tally.broken else 0


if __name__ == "__main__":
    sys.exit(main())
