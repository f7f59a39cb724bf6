"""A gateway's store on a small disk that somebody else fills, as a program for a mount namespace of its own.

    python -m tests.edge.kill.crowded HOME

Prints one JSON object: what was refused and how, what the doctor said, and what was there once room was made.
"""

from __future__ import annotations

import asyncio
import errno
import os
import sys
from pathlib import Path

import msgspec

from common.wire.records import Note
from edge.buffer.opening import open_file
from edge.buffer.shedding import Budget
from edge.buffer.store import Store
from edge.buffer.writer import StoreUnavailableError
from edge.cli.doctor import examine, report
from edge.gate.log import GateLog
from edge.settings import read_settings
from edge.telemetry import configure_logging
from tests.edge.builders import HandClock, counted, sample

METERS, ROUNDS_MOST, GATE_EVENTS = 5, 400, 20
QUARTER_MS = 15 * 60 * 1000
CHUNK = b"\xff" * 4096


def fill(foreign: Path) -> None:
    """Take every block that is left for a file that is not the gateway's."""
    descriptor = os.open(foreign, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        while True:
            os.write(descriptor, CHUNK)
    except OSError as full:
        if full.errno != errno.ENOSPC:
            raise
    finally:
        os.close(descriptor)


async def crowd(home: Path) -> dict[str, object]:
    """Fill the disk while readings and gate records come; make room again; return what was seen."""
    clock, foreign = HandClock(), home / "holiday.mp4"
    store = Store.open(home / "store.db", clock=clock, entropy=counted, budget=Budget(), commit_interval_s=0.001)
    log, refused, committed = GateLog(store), "", 0
    slot_ms = clock.utc_ms
    for turn in range(ROUNDS_MOST):
        fill(foreign)
        slot_ms += QUARTER_MS
        try:
            for number in range(1, METERS + 1):
                await (await store.offer(sample(number, slot_ms, turn)))
                committed += 1
        except StoreUnavailableError as error:
            refused = str(error)
            break
    for number in range(GATE_EVENTS):
        fill(foreign)
        await log.write((Note(what="test", detail=str(number)),), ())
    waiting = len(log._unwritten)
    said = report([one for one in await examine(read_settings(home)) if one.subject == "disk"])
    foreign.unlink()
    await log.write((Note(what="test", detail=str(GATE_EVENTS)),), ())
    await (await store.offer(sample(METERS, slot_ms, turn)))
    store.close()
    opened = open_file(home / "store.db", counted, 100_000)
    rows = opened.connection.execute("SELECT body FROM event WHERE kind = 'note' ORDER BY seq").fetchall()
    notes = [msgspec.msgpack.decode(body, type=Note) for (body,) in rows]
    readings = opened.connection.execute("SELECT count(*) FROM reading").fetchone()[0]
    opened.connection.close()
    opened.lock.close()
    return {
        "refused": refused,
        "waiting": waiting,
        "doctor": said,
        "gate": [int(note.detail) for note in notes if note.what == "test"],
        "committed": committed + 1,
        "readings": readings,
    }


if __name__ == "__main__":
    configure_logging()
    sys.stdout.write(msgspec.json.encode(asyncio.run(crowd(Path(sys.argv[1])))).decode())
