"""Each law of the money core names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[2]
LAWS = 25


def test_every_law_is_held_by_tests_that_exist() -> None:
    rows = re.findall(r"^\| (\d+) \|.*\| (.*) \|$", (TESTS / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, LAWS + 1))
    named = {number: re.findall(r"`([\w/]+\.py)`", held) for number, held in rows}
    assert [number for number, files in named.items() if not files] == []
    assert [file for files in named.values() for file in files if not (TESTS / file).is_file()] == []
