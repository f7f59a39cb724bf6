"""Registers on their way: shown by a device or a recorded series, sent in a signed batch, stored in a block of a day.

Comparison: nothing lost, nothing twice. What each device answered at a due instant stands in its own exchange log;
what the recorded meters showed stands in the series files. Every such register must be in exactly one batch and
exactly once in the newest block of its day, with the same value; and nothing else may be stored.
"""

from __future__ import annotations

import csv
import struct
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate, pairwise
from typing import Any
from uuid import UUID

import zstandard

from tests.simulation import plan
from tests.simulation.promises import wire
from tests.simulation.promises.stores import Comparison, Figures, Look, instant_of_ms, json_lines, sqlite_rows
from tests.simulation.site import ZONE

BILLED = ("energy_forward", "volume")
ANSWER_DELAY_MAX = timedelta(minutes=10)
_QUARTER = timedelta(minutes=15)
_DAY = timedelta(days=1)
_DAY_MS = 86_400_000
_WIDE = 1
_CAMERA_MS = 7  # the place of the camera's instant in a parking record
_BLOCK_BYTES_MAX = 1 << 22
Place = tuple[UUID, str, int]  # meter, quantity, instant in milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What meters showed at due instants, and the raw answers of live meters."""

    live: dict[Place, set[int]]
    recorded: dict[Place, int]
    frames: dict[UUID, set[str]]

    @property
    def all(self) -> dict[Place, set[int]]:
        """Return all registers that were shown, live and recorded."""
        return {**{place: {value} for place, value in self.recorded.items()}, **self.live}


def meters(look: Look) -> dict[str, UUID]:
    """Return the ids of meters by their serial numbers."""
    return {row.serial: row.meter_id for row in look.rows("select serial, meter_id from meter")}


def shown(look: Look) -> Shown:
    """Return what the meters showed, from the devices' own logs and from the recorded series."""
    ids = look.once(meters)
    live: dict[Place, set[int]] = defaultdict(set)
    frames: dict[UUID, set[str]] = defaultdict(set)
    for path in look.stores.exchanges:
        for entry in json_lines(path):
            if entry["refused"]:
                continue
            meter_id = ids[entry["meter"]]
            frames[meter_id].add(entry["response"])
            slot_ms = due_slot_ms(datetime.fromisoformat(entry["at"]))
            for quantity in BILLED:
                if slot_ms is not None and quantity in entry["values"]:
                    live[meter_id, quantity, slot_ms].add(entry["values"][quantity])
    return Shown(live=dict(live), recorded=_recorded(look, ids), frames=dict(frames))


def due_slot_ms(at: datetime) -> int | None:
    """Return the due instant that an answer belongs to, or None when nothing was due or the story had not begun."""
    local = at.astimezone(ZONE)
    midnight = plan.local(local.date())
    grid = _QUARTER if local.date() == plan.DENSE_DAY else _DAY
    slot = midnight + (local - midnight) // grid * grid
    if slot < plan.local(plan.MONTHS[0]) or local - slot > ANSWER_DELAY_MAX:
        return None
    return round(slot.timestamp() * 1000)


def _recorded(look: Look, ids: Mapping[str, UUID]) -> dict[Place, int]:
    """Return what recorded meters showed when due; a row holds from its instant until the next one, at most a day."""
    due_ms = _due_slots_ms(look.now)
    series: dict[tuple[UUID, str], list[tuple[int, int]]] = defaultdict(list)
    for gateway in look.stores.gateways:
        with look.stores.recorded(gateway).open(encoding="utf-8", newline="") as source:
            for row in csv.DictReader(source):
                at_ms = round(datetime.fromisoformat(row["read_at"]).timestamp() * 1000)
                series[ids[row["serial"]], row["quantity"]].append((at_ms, int(Decimal(row["value"]) * 1000)))
    return {
        (meter_id, quantity, slot_ms): value
        for (meter_id, quantity), rows in series.items()
        for (at_ms, value), (next_ms, _) in pairwise([*rows, (rows[-1][0] + _DAY_MS, 0)])
        for slot_ms in due_ms[bisect_left(due_ms, at_ms) : bisect_left(due_ms, min(next_ms, at_ms + _DAY_MS))]
    }


def _due_slots_ms(until: datetime) -> list[int]:
    """Return the instants at which all meters were due: each midnight, and the quarter hours of the dense day."""
    slots = []
    for day in plan.days(plan.MONTHS[0], until.astimezone(ZONE).date()):
        count = _DAY // _QUARTER if day == plan.DENSE_DAY else 1
        slots += [plan.local(day) + number * _QUARTER for number in range(count)]
    return [round(slot.timestamp() * 1000) for slot in slots if slot <= until]


def sent(look: Look) -> Counter[tuple[Place, int]]:
    """Return how often each register stands in signed batches."""
    return Counter(
        ((reading.meter_id, reading.quantity, reading.slot_ms), reading.value_milli)
        for batch in look.once(wire.batches)
        for reading in batch.readings
    )


def stored(look: Look) -> Counter[tuple[Place, int]]:
    """Return how often each register stands in the newest blocks of the days, by the instant it was due.

    A reading off the grid is stored with the instant at which it was taken, a moment after its slot.
    """
    return Counter(
        ((row.meter_id, row.quantity, _slot_or_itself(at_ms)), value)
        for row in look.rows("""
            select distinct on (meter_id, quantity, day)
                   meter_id, quantity, first_at, first_milli, last_milli, count, body
              from meter_day_block order by meter_id, quantity, day, rev desc
        """)
        for at_ms, value in unpack(row)
    )


def _slot_or_itself(at_ms: int) -> int:
    slot_ms = due_slot_ms(datetime.fromtimestamp(at_ms / 1000, ZONE))
    return at_ms if slot_ms is None else slot_ms


def unpack(row: Any) -> Iterator[tuple[int, int]]:
    """Yield instant and value of each register of a block: a form byte, time steps and value steps in 4 or 8 bytes."""
    first_ms = round(row.first_at.timestamp() * 1000)
    if row.count == 1:
        yield first_ms, row.first_milli
        return
    raw = zstandard.ZstdDecompressor().decompress(row.body, max_output_size=_BLOCK_BYTES_MAX)
    steps, wide = row.count - 1, bool(raw[0] & _WIDE)
    times = struct.unpack_from(f"<{steps}i", raw, 1)
    values = struct.unpack_from(f"<{steps}{'q' if wide else 'i'}", raw, 1 + 4 * steps)
    yield from zip(accumulate(times, initial=first_ms), accumulate(values, initial=row.first_milli), strict=True)


def _nothing_lost(look: Look) -> Figures:
    everything = look.once(shown).all
    in_batches, in_blocks = look.once(sent), look.once(stored)
    faults = [*wire.unreadable(look.once(wire.batches)), *_gateways_differ(look)]
    carried: dict[Place, set[int]] = defaultdict(set)
    for (place, value), times in in_blocks.items():
        carried[place].add(value)
        if times > 1:
            faults.append(f"{_name(place)} is stored {times} times")
        if in_batches[place, value] != 1:
            faults.append(f"{_name(place)} is stored and stands in {in_batches[place, value]} batches")
    whole = 0
    for place, values in everything.items():
        if len(carried[place]) == 1 and carried[place] <= values:
            whole += 1
        else:
            faults.append(f"{_name(place)} showed {sorted(values)}, stored is {sorted(carried[place])}")
    passed, told_once = _cars(look, faults)
    first_ms = round(plan.local(plan.MONTHS[0]).timestamp() * 1000)
    faults += [
        f"{_name(place)} is stored and no meter showed it"
        for place in carried.keys() - everything.keys()
        if place[2] >= first_ms and carried[place]
    ]
    return Figures(left=len(everything) + passed, right=whole + told_once, faults=tuple(faults))


def _cars(look: Look, faults: list[str]) -> tuple[int, int]:
    """Count the cars that a camera saw, and those that one batch and one stored event tell; faults are added."""
    seen = [datetime.fromisoformat(e["at"]) for e in json_lines(look.stores.gate_log) if e["kind"] == "plate"]
    in_rows = Counter(row.at for row in look.rows("select at from parking_event"))
    in_batches = Counter(
        instant_of_ms(record[_CAMERA_MS]) for batch in look.once(wire.batches) for record in batch.of_kind(wire.PARKING)
    )
    lost = [at for at in seen if (in_batches[at], in_rows[at]) != (1, 1)]
    faults += [f"a car at {at} is in {in_batches[at]} batches and {in_rows[at]} events" for at in lost]
    return len(seen), len(seen) - len(lost)


def _gateways_differ(look: Look) -> list[str]:
    """Return a fault for each batch that a gateway still keeps and the cloud has not or has otherwise."""
    digests = {row.digest for row in look.rows("select digest from gateway_batch")}
    return [
        f"batch {number} of {gateway} is not the cloud's"
        for gateway in look.stores.gateways
        for number, kept in sqlite_rows(look.stores.gateway_store(gateway), "select number, digest from batch")
        if kept not in digests
    ]


def _frames_are_the_devices(look: Look) -> Figures:
    """Count the raw frames kept in batches of live meters, and those that the device itself wrote down."""
    frames = look.once(shown).frames
    kept, known = 0, 0
    faults = wire.unreadable(look.once(wire.batches))
    for batch in look.once(wire.batches):
        for meter, serial, slot_ms, _, _, response in batch.of_kind(wire.EVIDENCE):
            answers = frames.get(UUID(bytes=meter))
            if answers is None:
                continue
            kept += 1
            if any(answer.endswith(response.hex()) for answer in answers):
                known += 1
            else:
                faults.append(f"{serial} at {slot_ms} never answered {response.hex()}")
    return Figures(left=kept, right=known, faults=tuple(faults))


def _name(place: Place) -> str:
    return f"{str(place[0])[-6:]} {place[1]} {datetime.fromtimestamp(place[2] / 1000, ZONE):%m-%d %H:%M}"


NOTHING_LOST = Comparison(
    key="nothing_lost",
    promise=2,
    name_zh="不丢不重",
    name_en="Nothing lost, nothing twice",
    compared_zh="表具应读时刻给出的读数与相机看到的车 与 恰好上传一次、存了一次且数值相同的",
    compared_en="registers shown when due and cars seen | those sent once and stored once with the same value",
    figures=_nothing_lost,
)
REAL_WIRES = Comparison(
    key="real_wires",
    promise=None,
    name_zh="真实线路上的报文",
    name_en="Frames over real wires",
    compared_zh="签名批次所附的设备报文 与 设备自己记下的同一报文",
    compared_en="raw frames kept in signed batches | the same bytes in the devices' own logs",
    figures=_frames_are_the_devices,
)
