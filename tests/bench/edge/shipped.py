"""The gateway as it is shipped: exactly the packages of its lock, compiled beforehand, under the unit's environment.

`deploy/edge/release.sh` does the same on a box; what is measured here is a release, not a work tree.
"""

from __future__ import annotations

import shlex
import subprocess
import sysconfig
import venv
from pathlib import Path

from tests.bench.edge.rig import ROOT

LOCK = ROOT / "deploy" / "locks" / "edge.txt"
UNIT = ROOT / "deploy" / "edge" / "gatehouse-edge.service"
OURS = ("common", "edge", "tests/bench/edge")
_KEYWORD = "Environment="
_BYTECODE = "PYTHONPYCACHEPREFIX"
_NOT_RUN = "/(test|tests|idlelib|lib2to3|turtledemo|site-packages|dist-packages)/"


def edge_python(folder: Path) -> Path:
    """Return the Python of an environment with what a gateway ships and nothing else."""
    done = folder / ".installed"
    python = folder / "bin" / "python"
    if not done.exists() or done.stat().st_mtime < LOCK.stat().st_mtime:
        venv.create(folder, with_pip=True, clear=True)
        words = [
            str(python),
            "-m",
            "pip",
            "install",
            "-qq",
            "--disable-pip-version-check",
            "--require-hashes",
            "-r",
            str(LOCK),
        ]
        subprocess.run(words, check=True)  # noqa: S603 - fixed words
        done.touch()
    return python


def unit_environment(bytecode: Path) -> dict[str, str]:
    """Return the variables that the unit sets, with the bytecode in a folder of the bench."""
    lines = UNIT.read_text(encoding="utf-8").splitlines()
    words = [word for line in lines if line.startswith(_KEYWORD) for word in shlex.split(line.removeprefix(_KEYWORD))]
    return dict(word.split("=", 1) for word in words) | {_BYTECODE: str(bytecode)}


def compiled(python: Path, bytecode: Path) -> dict[str, str]:
    """Compile what a gateway runs, as a release is when it is installed; return the environment to run it in."""
    environment = unit_environment(bytecode)
    command = [str(python), "-OO", "-m", "compileall", "-q"]
    library = ["-x", _NOT_RUN, sysconfig.get_path("stdlib")]
    rest = [str(python.parents[1] / "lib"), *(str(ROOT / name) for name in OURS)]
    for words in (library, rest):
        subprocess.run([*command, *words], env=environment, check=True)  # noqa: S603 - fixed words
    return environment
