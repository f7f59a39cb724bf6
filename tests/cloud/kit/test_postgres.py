"""The embedded server: held by many, gone with the last, at home where its user may enter."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from cloud.kit.postgres import SUPERUSER, EmbeddedPostgres, unprivileged_user
from common.errors import RefusalError

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
HOLD = """
import sys, pathlib
from cloud.kit.postgres import EmbeddedPostgres
with EmbeddedPostgres(pathlib.Path(sys.argv[1]), durable=False).hold():
    print("holding", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gh-") as made:
        Path(made).chmod(0o711)
        yield Path(made) / "database"


def answers(server: EmbeddedPostgres) -> bool:
    try:
        with psycopg.connect(server.conninfo(role=SUPERUSER)) as connection:
            return connection.execute("select 1").fetchone() == (1,)
    except (psycopg.OperationalError, FileNotFoundError):
        return False


def holder(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLD, str(folder)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours
    assert process.stdout is not None
    assert process.stdout.readline() == "holding\n"
    return process


def test_the_last_holder_stops_the_server_and_a_killed_holder_does_not_count(folder: Path) -> None:
    server = EmbeddedPostgres(folder, durable=False)
    killed, other = holder(folder), holder(folder)
    with server.hold():
        assert answers(server)
        killed.send_signal(signal.SIGKILL)
        killed.wait(20)
        assert answers(server)
        other.communicate("", timeout=20)
        assert other.returncode == 0
        assert answers(server)
    assert not answers(server)
    for stream in (killed.stdin, killed.stdout):
        assert stream is not None
        stream.close()
    server.forget()
    assert not folder.exists()


def test_after_a_kill_of_the_whole_server_the_data_are_there_and_the_next_holder_starts_it(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    with server.hold():
        server.create_database("kept")
        server.create_database("kept")
        with psycopg.connect(server.conninfo(role="gatehouse_owner", database="kept")) as connection:
            connection.execute("create table fact (n int)")
            connection.execute("insert into fact values (7)")
        pid_file = server._base / "data" / "postmaster.pid"
        os.kill(int(pid_file.read_text(encoding="ascii").splitlines()[0]), signal.SIGKILL)
    with server.hold(), psycopg.connect(server.conninfo(role="gatehouse_owner", database="kept")) as connection:
        assert connection.execute("select n from fact").fetchone() == (7,)
    server.forget()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another user")
def test_as_root_the_data_lie_where_their_user_can_enter_and_nothing_is_opened(folder: Path) -> None:
    folder.parent.chmod(0o700)
    server = EmbeddedPostgres(folder, durable=False)
    with server.hold():
        assert answers(server)
        base = Path((folder / "base").read_text(encoding="utf-8").strip())
        user = unprivileged_user()
        assert user is not None
        assert base.stat().st_uid == user.uid
        assert base.stat().st_mode & 0o077 == 0
        assert not base.is_relative_to(folder)
        assert folder.parent.stat().st_mode & 0o777 == 0o700
    server.forget()
    assert not base.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another user")
def test_binaries_that_the_user_cannot_enter_are_copied(folder: Path) -> None:
    server = EmbeddedPostgres(folder, durable=False)
    closed = folder.parent / "closed"
    closed.mkdir(mode=0o700)
    source = server._package
    (closed / source.name).symlink_to(source)
    (closed / f"{source.name}.libs").symlink_to(source.with_name(f"{source.name}.libs"))
    elsewhere = EmbeddedPostgres(folder, durable=False, package=closed / source.name)
    with elsewhere.hold():
        assert answers(elsewhere)
        assert (elsewhere._base / "postgresql" / source.name / "pginstall" / "bin" / "postgres").exists()
    elsewhere.forget()


def test_a_lost_data_folder_is_named_and_not_replaced_in_silence(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "base").write_text("/nowhere/at/all\n", encoding="utf-8")
    if os.geteuid() != 0:
        pytest.skip("only root keeps a pointer to its data")
    server = EmbeddedPostgres(folder, durable=False)
    with pytest.raises(RefusalError, match="is gone"), server.hold():
        pass


def test_a_server_that_cannot_make_its_folder_says_why(folder: Path) -> None:
    code = (
        "import resource, sys, pathlib\n"
        "from cloud.kit.postgres import EmbeddedPostgres\n"
        "from common.errors import RefusalError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\n"
        "try:\n"
        "    with EmbeddedPostgres(pathlib.Path(sys.argv[1]), durable=False).hold(): pass\n"
        "except RefusalError as refusal:\n"
        "    print(refusal)\n"
    )
    outcome = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=False, timeout=60
    )
    assert outcome.stdout.startswith("the database folder cannot be made ("), outcome
    assert outcome.stdout.count("\n") == 1
