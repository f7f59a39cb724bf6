"""A gateway installs, imports and looks after itself without any package of the cloud."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "deploy" / "locks" / "edge.txt"
# Refuses the cloud and its packages wherever they are asked for, then imports every module of the gateway.
PROGRAM = """
import importlib, pkgutil, sys

REFUSED = {"cloud", "sqlalchemy", "fastapi", "pydantic", "pydantic_core", "psycopg", "numpy", "alembic", "argon2"}

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in REFUSED:
            raise ModuleNotFoundError(f"a gateway has no {name}", name=name)

sys.meta_path.insert(0, Refuse())
for package in map(importlib.import_module, sys.argv[1:]):
    importlib.import_module(f"{package.__name__}.__main__") if package.__name__ == "edge" else None
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
print(sum(name.partition(".")[0] in sys.argv[1:] for name in sys.modules))
"""


def imported(*packages: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, *packages]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - ours


@pytest.mark.timeout(60)
def test_every_module_of_the_gateway_imports_without_the_clouds_packages() -> None:
    run = imported("common", "edge")
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) > 100


def test_a_module_that_needs_a_package_of_the_cloud_is_found() -> None:
    run = imported("cloud.kit")
    assert run.returncode != 0
    assert "a gateway has no cloud" in run.stderr


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_gateway_installed_from_its_lock_alone_examines_itself(tmp_path: Path) -> None:
    home, place = tmp_path / "home", tmp_path / "gateway"
    home.mkdir()
    venv.create(place, with_pip=True)
    program = place / "bin" / "gatehouse"
    pip = [str(place / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "wheel")]
    done(build, cwd=ROOT)
    done([*pip, "--require-hashes", "-r", str(LOCK)])
    done([*pip, "--no-deps", *map(str, (tmp_path / "wheel").glob("*.whl"))])

    looked = run([str(program), "edge", "doctor", "--home", str(home)], cwd=home)
    assert looked.returncode in {0, 1}
    assert "device models" in looked.stdout, looked.stderr
    assert "Traceback" not in looked.stderr
    told = run([str(program), "cloud", "init", "--home", str(home)], cwd=home)
    assert (told.returncode, told.stderr.count("\n")) == (1, 1)
    assert "install gatehouse[cloud]" in told.stderr


def run(command: list[str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603 - ours


def done(command: list[str], cwd: Path | None = None) -> None:
    finished = run(command, cwd)
    assert finished.returncode == 0, finished.stderr
