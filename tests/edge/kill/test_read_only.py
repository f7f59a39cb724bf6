"""A disk that turns read-only, and a gateway that starts on one: it is said, nothing is lost, and it goes on by itself.

What is proven: with SQLite refusing every write (SQLITE_READONLY) the poller lives, keeps its books and goes on; on a
file system that the kernel has mounted read-only (a mount namespace of its own; where there is none, a folder of which
nothing may be written, and root without its exemption from rights) the gateway ends with a message and leaves every
byte alone. Not proven: a disk that turns read-only between two pages of one commit, which is the power cut of
`test_kill`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.edge.kill.audit import METERS, Bench, assert_nothing_lost_or_doubled

pytestmark = pytest.mark.timeout(120)  # real processes
ROOT = Path(__file__).parents[3]
_MOUNT = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'


def end(child: subprocess.Popen[bytes]) -> None:
    os.kill(child.pid, signal.SIGKILL)
    child.wait()


@pytest.mark.slow
def test_a_disk_that_turns_read_only_stops_nothing_and_is_written_again_afterwards(tmp_path: Path) -> None:
    bench = Bench(tmp_path).run_clock()
    child = bench.start(trap="readonly")
    bench.wait_for_commits(METERS * 3)

    os.kill(child.pid, signal.SIGUSR1)
    bench.wait_until_settled()
    refused_at = bench.commits()
    time.sleep(1)
    assert bench.commits() == refused_at, "a commit returned though the disk took nothing"
    assert child.poll() is None, "the gateway ended because the disk was read-only"

    os.kill(child.pid, signal.SIGUSR2)
    bench.wait_for_commits(METERS * 3)
    end(child)
    assert_nothing_lost_or_doubled(bench)


@contextmanager
def read_only(folder: Path) -> Iterator[list[str]]:
    """Yield what a command is prefixed with to find the folder on a read-only file system."""
    prefix = [str(shutil.which("unshare")), "--user", "--map-root-user", "--mount", "sh", "-c", _MOUNT, str(folder)]
    if shutil.which("unshare") and subprocess.run([*prefix, "true"], check=False).returncode == 0:  # noqa: S603
        yield prefix
        return
    modes = {one: one.stat().st_mode for one in (folder, *folder.rglob("*"))}
    for one, mode in modes.items():
        one.chmod(mode & ~0o222)
    try:
        yield [] if os.geteuid() else ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"]
    finally:
        for one, mode in modes.items():
            one.chmod(mode)


def run_edge(word: str, home: Path, prefix: list[str]) -> subprocess.CompletedProcess[str]:
    command = [*prefix, sys.executable, "-m", "edge", word, "--home", str(home)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603


def digests(folder: Path) -> dict[str, str]:
    return {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in sorted(folder.iterdir()) if one.is_file()}


@pytest.mark.slow
def test_a_gateway_on_a_read_only_disk_says_so_leaves_it_alone_and_later_goes_on(tmp_path: Path) -> None:
    bench = Bench(tmp_path).run_clock()
    child = bench.start()
    bench.wait_for_commits(METERS * 3)
    end(child)
    before = digests(tmp_path)

    with read_only(tmp_path) as prefix:
        run = run_edge("run", tmp_path, prefix)
        doctor = run_edge("doctor", tmp_path, prefix)

    assert run.returncode == 1
    assert str(tmp_path) in run.stderr
    assert "Traceback" not in run.stderr
    assert "it may write" in run.stderr
    assert doctor.returncode == 1
    assert digests(tmp_path) == before

    again = bench.start()
    bench.wait_for_commits(METERS * 3)
    end(again)
    assert_nothing_lost_or_doubled(bench)
