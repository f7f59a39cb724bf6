"""The cuts that a child left, each made worse as a real disk may: the unsynced tail torn off anywhere, or garbage."""

from __future__ import annotations

from pathlib import Path

from tests.edge.kill.audit import Bench
from tests.edge.kill.cutter import FOLDER, SYNCED
from tests.support.randomness import seeded

GARBAGE_BYTES = 5_000


def cuts_of(folder: Path, seed: int) -> list[Bench]:
    """Return the cuts for the auditor; the last is left out, its maker may have been killed while copying."""
    chance = seeded(seed)
    made = sorted((folder / FOLDER).iterdir())[:-1]
    for cut in made:
        wal = cut / "store.db-wal"
        synced = int((cut / SYNCED).read_text(encoding="ascii"))
        if not wal.exists():
            continue
        held = wal.read_bytes()
        kept = held[: chance.randint(min(synced, len(held)), len(held))]
        wal.write_bytes(kept + chance.randbytes(chance.randrange(GARBAGE_BYTES)))
    return [Bench(cut) for cut in made if (cut / "commits.log").stat().st_size]
