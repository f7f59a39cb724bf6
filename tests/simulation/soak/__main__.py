"""`python -m tests.simulation.soak [--payments N] [--seed S]`: pay, refund, reconcile under faults; compare books.

It prints one row a channel and a verdict, and ends with 1 when anything was lost, doubled or differs.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.simulation.soak.audit import Verdict, audited
from tests.simulation.soak.house import open_soak
from tests.simulation.soak.load import Load

_PAYMENTS = 10_000


async def soak(payments: int, seed: int, folder: Path) -> Verdict:
    """Run the load and audit what it left."""
    async with open_soak(folder, seed) as house:
        load = Load(house, seed)
        await load.run(payments)
        return await audited(house, load)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the soak and print its table."""
    parser = argparse.ArgumentParser(prog="tests.simulation.soak", description="payments and refunds under faults")
    parser.add_argument("--payments", type=int, default=_PAYMENTS, help="payments over all channels")
    parser.add_argument("--seed", type=int, default=6, help="the same seed, the same payments and faults")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="gatehouse-soak-") as folder:
        verdict = asyncio.run(soak(arguments.payments, arguments.seed, Path(folder)))
    sys.stdout.write(verdict.table())
    return 0 if verdict.passed else 1


if __name__ == "__main__":
    sys.exit(main())
