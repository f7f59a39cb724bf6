"""`make soak-edge`: SIGKILL at random moments and at write points, and power cuts, for as many cycles as asked.

    python -m tests.edge.kill.soak [--cycles 500] [--seconds 0] [--seed 1]

Every folder is audited against the child's own log of commits: lost 0, doubled 0, every hole said. The seed is
printed, so that a failure can be run again; `--seconds` ends the soak early when it is not 0.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from edge.clock import monotonic_s
from tests.edge.kill.audit import METERS, Bench, assert_nothing_lost_or_doubled
from tests.edge.kill.cuts import cuts_of
from tests.support.randomness import Random, seeded

CYCLES_A_FOLDER = 25
STATEMENTS_MAX = 600


def cycle(bench: Bench, chance: Random) -> None:
    """Start the child, and end it at a random statement or a random moment."""
    if chance.randrange(3) == 0:
        child = bench.start(trap=f"kill:{chance.randint(1, STATEMENTS_MAX)}")
        child.wait(60)
        return
    child = bench.start()
    bench.wait_for_commits(METERS)
    time.sleep(chance.random() * 0.3)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()


def cut(folder: Path, seed: int) -> int:
    """Run a child whose disk is copied at random statements; audit each copy and return how many there were."""
    bench = Bench(folder).run_clock()
    child = bench.start(trap=f"cut:{seed}")
    bench.wait_for_commits(METERS * 60)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    cuts = cuts_of(folder, seed)
    for one in cuts:
        assert_nothing_lost_or_doubled(one)
    return len(cuts)


def main() -> int:
    """Soak and report."""
    parser = argparse.ArgumentParser(prog="python -m tests.edge.kill.soak", description=__doc__)
    parser.add_argument("--cycles", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance, started = seeded(options.seed), monotonic_s()
    kills = cuts = commits = 0
    while kills < options.cycles and not (options.seconds and monotonic_s() - started > options.seconds):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "kills").mkdir()
            (Path(folder) / "power").mkdir()
            bench = Bench(Path(folder) / "kills").run_clock()
            for _ in range(min(CYCLES_A_FOLDER, options.cycles - kills)):
                cycle(bench, chance)
                kills += 1
            assert_nothing_lost_or_doubled(bench)
            commits += bench.commits()
            cuts += cut(Path(folder) / "power", chance.randrange(1 << 30))
        sys.stdout.write(f"kills {kills}, power cuts {cuts}, committed readings {commits}, lost 0, doubled 0\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
