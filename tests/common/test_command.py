"""The `gatehouse` command finds its families and refuses in one clear line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

GATEHOUSE = Path(sys.executable).parent / "gatehouse"


@pytest.mark.parametrize("words", [[], ["nonsense"]])
def test_an_unknown_family_lists_the_known_ones(words: list[str]) -> None:
    run = subprocess.run([GATEHOUSE, *words], capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    assert run.returncode == 2
    assert "commands: cloud, edge, ledger, tariff, trace" in run.stderr
