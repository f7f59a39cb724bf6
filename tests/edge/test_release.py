"""Two releases side by side: a switch that does not come up well goes back by itself; the unit is one systemd takes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "deploy" / "edge" / "release.sh"
UNIT = ROOT / "deploy" / "edge" / "gatehouse-edge.service"


@pytest.fixture
def releases(tmp_path: Path) -> Path:
    for name in ("one", "two"):
        (tmp_path / "releases" / name).mkdir(parents=True)
    (tmp_path / "current").symlink_to(tmp_path / "releases" / "one")
    return tmp_path


def release(root: Path, *words: str, well: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "ROOT": str(root),
        "RESTART": f"readlink {root}/current >> {root}/restarts",
        "WELL": well,
        "TRIES": "4",
        "PAUSE": "0.01",
        "STEADY": "2",
    }
    return subprocess.run(  # noqa: S603 - our own script
        [SCRIPT, *words], env=environment, capture_output=True, text=True, check=False, timeout=20
    )


def runs(root: Path) -> str:
    return (root / "current").readlink().name


def restarts(root: Path) -> list[str]:
    return [Path(line).name for line in (root / "restarts").read_text().splitlines()]


def test_a_release_that_is_well_stays_and_the_one_before_is_remembered(releases: Path) -> None:
    assert release(releases, "switch", "two", well="true").returncode == 0
    assert runs(releases) == "two"
    assert (releases / "previous").readlink().name == "one"
    assert release(releases, "back", well="true").returncode == 0
    assert runs(releases) == "one"


def test_a_release_that_is_not_well_is_left_by_itself(releases: Path) -> None:
    done = release(releases, "switch", "two", well=f"readlink {releases}/current | grep -q one")
    assert done.returncode == 1
    assert "one runs again" in done.stderr
    assert runs(releases) == "one"
    assert restarts(releases) == ["two", "one"]


def test_a_release_that_is_well_only_now_and_then_is_not_well(releases: Path) -> None:
    flapping = f"n=$(cat {releases}/n 2>/dev/null || echo 0); echo $((n+1)) > {releases}/n; [ $((n % 2)) = 0 ]"
    assert release(releases, "switch", "two", well=flapping).returncode == 1
    assert runs(releases) == "one"


def test_an_unknown_release_changes_nothing(releases: Path) -> None:
    done = release(releases, "switch", "three", well="true")
    assert (done.returncode, runs(releases)) == (1, "one")
    assert "no release three" in done.stderr


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a source tree with one module, an empty lock and a build that needs nothing from anywhere."""
    tree = tmp_path / "source"
    (tree / "deploy" / "locks").mkdir(parents=True)
    (tree / "deploy" / "locks" / "edge.txt").touch()
    (tree / "small.py").write_text("FIGURE = 1\n", encoding="utf-8")
    (tree / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n', encoding="utf-8"
    )
    (tree / "backend.py").write_text(
        "import zipfile\n"
        "def build_wheel(folder, config_settings=None, metadata_directory=None):\n"
        "    name, about = 'small-1-py3-none-any.whl', 'small-1.dist-info/'\n"
        "    with zipfile.ZipFile(f'{folder}/{name}', 'w') as wheel:\n"
        "        wheel.write('small.py')\n"
        "        wheel.writestr(about + 'METADATA', 'Metadata-Version: 2.1\\nName: small\\nVersion: 1\\n')\n"
        "        wheel.writestr(about + 'WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')\n"
        "        wheel.writestr(about + 'RECORD', '')\n"
        "    return name\n",
        encoding="utf-8",
    )
    return tree


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_an_installed_release_is_compiled_the_way_the_unit_runs_it(releases: Path, source: Path) -> None:
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    done = subprocess.run(  # noqa: S603 - our own script
        [SCRIPT, "install", "new", str(source)],
        env={"PATH": path, "ROOT": str(releases)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "release: new is installed; switch to it with: release.sh switch new"
    assert "could not be compiled" not in done.stderr
    (releases / "current").unlink()
    (releases / "current").symlink_to(releases / "releases" / "new")
    (line,) = (line for line in UNIT.read_text(encoding="utf-8").splitlines() if line.startswith("Environment="))
    variables = dict(word.split("=", 1) for word in line.removeprefix("Environment=").split())
    prefix = variables["PYTHONPYCACHEPREFIX"].replace("/opt/gatehouse", str(releases))
    look = "import importlib.util as u, json, os, small; print([os.path.exists(m.__cached__) for m in (json, small)])"
    seen = subprocess.run(  # noqa: S603 - the Python of the release
        [releases / "current" / "bin" / "python", "-OO", "-c", look],
        env=variables | {"PYTHONPYCACHEPREFIX": prefix},
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    assert seen.stdout == "[True, True]\n"


def test_systemd_takes_the_unit_without_a_word(tmp_path: Path) -> None:
    assert shutil.which("systemd-analyze"), "the set-up installs it with the package systemd: make setup"
    unit = tmp_path / UNIT.name
    text = UNIT.read_text(encoding="utf-8")
    assert "/opt/gatehouse/current/bin/python" in text
    unit.write_text(text.replace("/opt/gatehouse/current/bin/python", sys.executable), encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - the system's own checker
        ["systemd-analyze", "verify", str(unit)],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
