"""Run the mutants of the pure core, one process at the lowest priority, and judge each package by its score.

A mutant that no test notices is a survivor; `tests/common/mutation-survivors.md` gives the reason for each that may
stand. Names of packages or functions (`common.money*`) as arguments narrow the run; results of earlier runs are kept.
"""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from pathlib import Path

MUTMUT = str(Path(sys.executable).parent / "mutmut")
QUIETLY = ["env", "HYPOTHESIS_PROFILE=mutation", "nice", "-n", "19"]
SCORE_MIN_PERCENT = 95
KILLED = {"killed", "timeout", "suspicious", "segfault", "caught by type check"}
UNJUDGED = {"not checked", "skipped"}


def main(names: list[str]) -> int:
    """Run, print the score of each package, and return 1 when one is below the least score."""
    subprocess.run([*QUIETLY, MUTMUT, "run", "--max-children", "1", *names], check=True)  # noqa: S603 - our own fixed command
    told = subprocess.run([MUTMUT, "results", "--all", "true"], check=True, capture_output=True, text=True)  # noqa: S603 - our own fixed command
    verdicts: dict[str, list[bool]] = defaultdict(list)
    for line in told.stdout.splitlines():
        name, _, verdict = line.strip().partition(": ")
        if name.startswith("common.") and verdict not in UNJUDGED:
            verdicts[name.split(".")[1]].append(verdict in KILLED)
    low = 0
    for package, killed in sorted(verdicts.items()):
        percent = 100 * sum(killed) / len(killed)
        low += percent < SCORE_MIN_PERCENT
        sys.stdout.write(f"{package:10} {sum(killed):6} of {len(killed):6} killed {percent:6.1f} %\n")
    return 1 if low or not verdicts else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
