"""An interpreter that is too old gets one clear line, in words that it can still parse."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

CHECK = Path(__file__).parents[2] / "deploy" / "setup" / "check_python.py"


def run_as(version: str) -> subprocess.CompletedProcess[str]:
    """Run the check as an interpreter of some version sees it."""
    words = f"import sys; sys.version_info = {version}; exec(open({str(CHECK)!r}).read())"
    return subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=False)  # noqa: S603 - this interpreter, our own words


@pytest.mark.parametrize("version", ["(3, 10, 13)", "(2, 7, 18)"])
def test_an_old_python_is_refused_with_what_to_install(version: str) -> None:
    refused = run_as(version)
    assert refused.returncode == 1
    assert "Python 3.11 or newer is needed, this is " in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize("version", ["(3, 11, 0)", "(3, 13, 0)"])
def test_a_python_from_the_floor_on_passes_silently(version: str) -> None:
    passed = run_as(version)
    assert (passed.returncode, passed.stdout, passed.stderr) == (0, "", "")


def test_the_check_parses_on_old_pythons() -> None:
    ast.parse(CHECK.read_text(encoding="ascii"), feature_version=(3, 4))
