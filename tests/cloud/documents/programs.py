"""The other programs that look at our files: OpenSSL, and Poppler's readers."""

from __future__ import annotations

import subprocess
from pathlib import Path
from shutil import which


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Run a program of the machine in a folder and return what it said."""
    program = which(words[0])
    assert program is not None, f"{words[0]} is missing; `make test` installs it"
    return subprocess.run([program, *words[1:]], cwd=folder, capture_output=True, check=False)  # noqa: S603 - our own words
