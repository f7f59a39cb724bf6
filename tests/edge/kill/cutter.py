"""Keeps what the disk would hold if power failed now: copies of the store at random statements of its writer.

A power cut keeps everything that was synced and any part of what was not. The log of the store (WAL) is synced up to
where it stood when the running transaction began; that length is noted beside the copy.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.support.randomness import seeded

ONE_IN = 60
CUTS_MAX = 40
SYNCED = "synced.length"
FOLDER = "cuts"


class Cutter:
    """Called before each statement of the store, on its writer's thread."""

    def __init__(self, home: Path, log: Path, seed: int) -> None:
        self._store = home / "store.db"
        self._log = log
        self._folder = home / FOLDER
        self._chance = seeded(seed)
        self._synced = 0
        self._inside = False
        self._count = 0

    def __call__(self, statement: str) -> None:
        wal = self._store.with_name("store.db-wal")
        if not self._inside:
            self._synced = wal.stat().st_size if wal.exists() else 0
        if statement.startswith("BEGIN"):
            self._inside = True
        elif statement in {"COMMIT", "ROLLBACK"}:
            self._inside = False  # from the next statement on; a cut now still falls inside
        if "checkpoint" in statement or self._count >= CUTS_MAX or self._chance.randrange(ONE_IN):
            return
        self._count += 1
        cut = self._folder / f"{self._count:03d}"
        cut.mkdir(parents=True)
        shutil.copy(self._log, cut / "commits.log")
        shutil.copy(self._store, cut / "store.db")
        if wal.exists():
            shutil.copy(wal, cut / "store.db-wal")
        (cut / SYNCED).write_text(str(self._synced), encoding="ascii")
