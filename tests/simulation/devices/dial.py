"""A simulated meter: which quantities it shows now, its faults, and the log of what it answered."""

from __future__ import annotations

import asyncio
import json
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

from common.clock import Clock, Pace
from common.errors import RefusalError
from tests.simulation.devices.description import FaultEntry, Faults, Line, Meter
from tests.simulation.devices.loads import Load


class PaceFileClock:
    """The business clock of the simulation, read from the conductor's file at each look."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> datetime:
        """Return the business instant."""
        return Pace.unpack(self._path.read_bytes()).at(time.monotonic_ns())


class ExchangeLog:
    """One JSON line for each answered exchange; what the auditor compares the cloud's readings with."""

    def __init__(self, folder: Path, name: str) -> None:
        self._file: TextIO = (folder / f"exchanges-{name}.jsonl").open("a", encoding="utf-8", buffering=1)
        self.count = 0

    def write(self, **entry: object) -> None:
        """Write one line."""
        self.count += 1
        self._file.write(json.dumps(entry, separators=(",", ":")) + "\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a meter shows at one instant, in milli-units, and the faults it has then."""

    at: datetime
    shown: Mapping[str, int]
    faults: tuple[FaultEntry, ...]

    def fault(self, kind: str) -> FaultEntry | None:
        """Return the fault of a kind that is in force, or None."""
        return next((fault for fault in self.faults if fault.kind == kind), None)


class Dial:
    """A meter of the simulated site."""

    def __init__(self, meter: Meter, line: Line, load: Load, clock: Clock, faults: Faults) -> None:
        self.meter = meter
        self.line = line
        self._load = load
        self._clock = clock
        self._faults = faults

    def look(self) -> Look:
        """Return what the meter shows now."""
        now = self._clock.now()
        faults = self._faults.of(self.meter.serial, self.line.line, now)
        at = now
        for fault in faults:
            if fault.kind == "frozen" and fault.since is not None:
                at = fault.since
        offset = sum(fault.milli for fault in faults if fault.kind == "offset")
        return Look(at=now, shown=self._shown(at, offset), faults=tuple(faults))

    def _shown(self, at: datetime, offset: int) -> dict[str, int]:
        total = self._load.total_milli(at) + offset
        tariffs = {f"energy_t{n}": self._load.tariff_milli(at, n) for n in (1, 2, 3, 4)}
        voltage = self._load.wobble(at, "voltage", 2240, 2360) * 100
        power = self._load.power_watt(at)
        return {
            "energy_forward": total,
            "volume": total,
            "heat_energy": total,
            "energy_reverse": 0,
            **tariffs,
            "voltage": voltage,
            "current": power * 1_000_000 // voltage if voltage else 0,
            "power": power,
            "flow": power,
        }


def as_float32_milli(milli: int, scale_milli: int = 1000) -> int:
    """Return what a reader gets from a float32 register that holds `milli / scale_milli`, in milli-units again."""
    stored: float
    (stored,) = struct.unpack(">f", struct.pack(">f", milli / scale_milli))
    return round(stored * scale_milli)


def listening_address(server: object) -> str:
    """Return host:port of an asyncio server; the port was chosen by the system when the description said 0."""
    if not isinstance(server, asyncio.Server):
        raise RefusalError("the line does not listen")
    host, port = server.sockets[0].getsockname()[:2]
    return f"{host}:{port}"
