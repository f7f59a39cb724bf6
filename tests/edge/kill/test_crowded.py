"""A card full of someone else's files: said with disk and remedy, gate records kept in order, no reading lost.

On a real file system of a few megabytes in a mount namespace of its own. Not proven: a power cut while gate records
wait in memory, which would lose them; the ballast is room inside the store's budget, not blocks held on the disk.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.edge.kill.crowded import GATE_EVENTS

pytestmark = pytest.mark.timeout(120)  # a real process
ROOT = Path(__file__).parents[3]
_MOUNT = 'mount -t tmpfs -o size=2m none "$0" && exec "$@"'


@pytest.mark.slow
def test_a_disk_full_of_other_files_is_said_and_nothing_is_lost(tmp_path: Path) -> None:
    prefix = [str(shutil.which("unshare")), "--user", "--map-root-user", "--mount", "sh", "-c", _MOUNT, str(tmp_path)]
    if not shutil.which("unshare") or subprocess.run([*prefix, "true"], check=False).returncode:  # noqa: S603
        pytest.skip("this machine gives no mount namespace to make a small disk in")
    command = [*prefix, sys.executable, "-m", "tests.edge.kill.crowded", str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)  # noqa: S603
    assert run.returncode == 0, run.stderr
    seen = msgspec.json.decode(run.stdout)

    assert str(tmp_path / "store.db") in seen["refused"]
    assert "doctor" in seen["refused"]
    assert "MEND disk" in seen["doctor"]
    assert f"0 of 2 MiB free at {tmp_path}" in seen["doctor"]
    assert "1 MiB are files that are not the store's" in seen["doctor"]
    assert "remove what is not the gateway's" in seen["doctor"]
    assert seen["waiting"] > 0, "the disk was never full"
    assert seen["gate"] == list(range(GATE_EVENTS + 1))
    assert seen["readings"] == seen["committed"]
