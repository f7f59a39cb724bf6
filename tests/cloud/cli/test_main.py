"""The commands of the cloud as processes: they work from an empty folder, and say no in one clear line."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from cloud.cli.main import main
from cloud.kit.clock import monotonic_s

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
START_S_MAX = 60


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gh-") as made:
        Path(made).chmod(0o711)
        yield Path(made) / "home"


def run(*words: str, home: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cloud", *words, "--home", str(home)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=90)  # noqa: S603 - ours


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(words: Sequence[str], home: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "cloud", *words, "--home", str(home)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own address
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def wait_for(url: str) -> None:
    deadline = monotonic_s() + START_S_MAX
    while True:
        try:
            assert get(url)[0] == 200
        except OSError:
            assert monotonic_s() < deadline, f"{url} does not answer"
            time.sleep(0.1)
        else:
            return


def test_from_an_empty_folder_to_a_signed_in_manager_and_a_clean_end(home: Path) -> None:
    assert run("init", home=home).returncode == 0
    port, metrics_port = free_port(), free_port()
    text = f"port: {port}\nworker_metrics_port: {metrics_port}\n"
    (home / "settings.yaml").write_text(text, encoding="utf-8")
    with started(["serve"], home) as serving, started(["worker"], home) as working:
        base = f"http://127.0.0.1:{port}"
        wait_for(f"{base}/healthz")
        wait_for(f"http://127.0.0.1:{metrics_port}/metrics")
        added = run("add-company", "east", "东方物业", "boss", home=home)
        code = re.fullmatch(r"boss: one-time code (\S+)\n", added.stdout)
        assert code is not None, added
        body = json.dumps({"code": code.group(1)}).encode()
        request = urllib.request.Request(  # noqa: S310 - our own address
            f"{base}/api/v1/session", data=body, headers={"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own address
            assert json.load(answer)["token"]
        taken = run("serve", home=home)
        assert taken.returncode == 1
        assert re.fullmatch(rf"gatehouse cloud: cannot listen on 127.0.0.1:{port} .*settings\.yaml\n", taken.stderr)
        again = run("add-company", "east", "东方物业", "boss", home=home)
        assert (again.returncode, again.stderr) == (1, "gatehouse cloud: this login is taken; choose another\n")
    assert (serving.returncode, working.returncode) == (0, 0)
    assert not list((home / "database").rglob("postmaster.pid"))
    assert run("forget", home=home).returncode == 0
    assert not (home / "database").exists()


def test_without_a_key_nothing_starts_and_the_line_says_what_to_do(home: Path) -> None:
    home.mkdir()
    refused = run("code", "boss", home=home)
    assert refused.returncode == 1
    assert "gatehouse cloud init" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_a_full_disk_is_said_in_one_line_and_leaves_nothing_half_made(home: Path) -> None:
    run("init", home=home)
    limited = f"ulimit -f 64; exec {sys.executable} -m cloud migrate --home {home}"
    command = ["/bin/sh", "-c", limited]
    refused = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - ours
    assert refused.returncode == 1
    assert refused.stderr.startswith("gatehouse cloud: the database folder cannot be made (")
    assert refused.stderr.count("\n") == 1
    assert run("migrate", home=home).returncode == 0


def test_a_home_that_cannot_be_written_is_said_in_one_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home.write_text("a file where a folder should be", encoding="utf-8")
    assert main(["init", "--home", str(home)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_an_old_python_is_told_so(home: Path) -> None:
    start = Path(__file__).resolve().parents[3] / "cloud" / "__main__.py"
    old = f"import runpy, sys; sys.version_info = (3, 10, 9); runpy.run_path({str(start)!r}, run_name='__main__')"
    command = [sys.executable, "-c", old, "init", "--home", str(home)]
    refused = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - ours
    assert (refused.returncode, refused.stderr) == (1, "gatehouse cloud: needs Python 3.11 or newer\n")


def test_an_unknown_word_is_not_understood(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["fly", "--home", os.devnull])
    assert left.value.code == 2
    assert "invalid choice" in capsys.readouterr().err
