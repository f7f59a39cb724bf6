"""Run the named suites one after the other, say how long each took against its budget, and stop at the first failure.

A budget is a yardstick printed beside the time, not a gate: machines differ.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

BIN = Path(sys.executable).parent
CODE = ["common", "edge", "cloud", "tests", "deploy"]
PYTEST = [str(BIN / "pytest"), "-q", "--durations=5"]
SUITES: dict[str, tuple[int, list[list[str]]]] = {
    "lint": (
        30,
        [
            [str(BIN / "ruff"), "check", *CODE],
            [str(BIN / "ruff"), "format", "--check", *CODE],
            [str(BIN / "vulture")],
            [str(BIN / "deptry"), "."],
        ],
    ),
    "types": (180, [[str(BIN / "mypy"), *CODE], [str(BIN / "basedpyright"), "--level", "error"]]),
    "imports": (20, [[str(BIN / "lint-imports")]]),
    "data": (
        10,
        [[str(BIN / "yamllint"), "-s", "firmware-config"], [str(BIN / "codespell"), *CODE, "README.md"]],
    ),
    "unit": (600, [[*PYTEST, "-m", "not slow", "-n", "2"]]),
    "e2e": (600, [[*PYTEST, "-m", "slow", "--timeout", "300", "-n", "2", "--dist", "loadfile"]]),
}


def main(names: list[str]) -> int:
    """Run the suites and return the first exit code that is not zero."""
    rows: list[tuple[str, float, int]] = []
    for name in names:
        budget, commands = SUITES[name]
        started = time.perf_counter()
        for command in commands:
            sys.stdout.write(f"== {name}: {' '.join(Path(word).name if '/' in word else word for word in command)}\n")
            sys.stdout.flush()
            code = subprocess.run(command, check=False).returncode  # noqa: S603 - our own fixed commands
            if code:
                sys.stdout.write(f"== {name}: failed with exit code {code}\n")
                return code
        rows.append((name, time.perf_counter() - started, budget))
    for name, seconds, budget in rows:
        sys.stdout.write(f"{name:10} {seconds:7.1f} s of a budget of {budget} s\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
