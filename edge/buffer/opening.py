"""Opening the store file: lock, check, migrate; a damaged file is put aside and a new epoch begins.

A store that cannot be read never stops the gateway: it is renamed, kept for a person, and reading goes on in a new
file. One process owns the file; a second one is refused.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from common.errors import RefusalError
from edge.buffer.salvage import salvage
from edge.buffer.schema import PAGE_BYTES, migrate

BUSY_MS = 50
CACHE_KIBIBYTES = 2_000
_EPOCH_BYTES = 8
_EPOCH_BITS = 63
_SIDE_FILES = ("", "-wal", "-shm")
NO_DIGEST = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An open store file; `damaged` says where an unreadable one was put aside and what was saved."""

    connection: sqlite3.Connection
    lock: IO[bytes]
    damaged: str | None


def open_file(path: Path, entropy: Callable[[int], bytes], pages_max: int) -> Opened:
    """Open, check and migrate the store, making it when there is none.

    Raises:
        RefusalError: another process holds it, the folder cannot be written, or a newer release wrote it.
    """
    with ExitStack() as on_refusal:
        lock = on_refusal.enter_context(_lock(path))
        damaged, previous_epoch = None, 0
        if path.exists() and not _sound(path):
            previous_epoch = _epoch_of(path)
            damaged = _put_aside(path)
        try:
            connection = on_refusal.enter_context(closing(_connect(path)))
            _configure(connection, pages_max)
            migrate(connection)
            _begin_epoch(connection, entropy, previous_epoch)
            if damaged is not None:
                damaged = f"{damaged}; taken over: {salvage(path.with_name(damaged), connection)}"
        except sqlite3.Error as error:
            raise RefusalError(f"store {path}: {error}; check that the disk is there, writable and not full") from error
        on_refusal.pop_all()  # opened: both stay with the caller
    return Opened(connection=connection, lock=lock, damaged=damaged)


def set_page_limit(connection: sqlite3.Connection, pages: int) -> None:
    """Bound the file; a write beyond the bound fails as a full disk would."""
    connection.execute(f"PRAGMA max_page_count = {pages}")


def _lock(path: Path) -> IO[bytes]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_suffix(".lock").open("ab")
    except OSError as error:
        raise RefusalError(f"store {path}: {error.strerror}; give the gateway a folder it may write") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise RefusalError(f"store {path}: another gateway runs on this folder; stop it first") from error
    return lock


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


def _configure(connection: sqlite3.Connection, pages_max: int) -> None:
    for pragma in (
        f"page_size = {PAGE_BYTES}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "wal_autocheckpoint = 0",
        "foreign_keys = ON",
        "temp_store = MEMORY",
        f"busy_timeout = {BUSY_MS}",
        f"cache_size = -{CACHE_KIBIBYTES}",
    ):
        connection.execute(f"PRAGMA {pragma}")
    set_page_limit(connection, pages_max)


def _sound(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise RefusalError(f"store {path}: {error}; check the folder's rights and the disk") from error
        return False


def _epoch_of(path: Path) -> int:
    """Return the epoch of a damaged file when its first pages still read, else 0."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return int(connection.execute("SELECT epoch FROM head").fetchone()[0])
    return 0


def _put_aside(path: Path) -> str:
    count = 1 + len(list(path.parent.glob(f"{path.name}.damaged-*[0-9]")))
    for suffix in _SIDE_FILES:
        side = path.with_name(path.name + suffix)
        if side.exists():
            side.rename(path.with_name(f"{path.name}.damaged-{count}{suffix}"))
    return f"{path.name}.damaged-{count}"


def _begin_epoch(connection: sqlite3.Connection, entropy: Callable[[int], bytes], previous_epoch: int) -> None:
    if connection.execute("SELECT 1 FROM head").fetchone() is None:
        epoch = int.from_bytes(entropy(_EPOCH_BYTES)) >> (8 * _EPOCH_BYTES - _EPOCH_BITS)
        connection.execute("INSERT INTO head VALUES (1, ?, ?, 0, ?)", (epoch, previous_epoch, NO_DIGEST))
