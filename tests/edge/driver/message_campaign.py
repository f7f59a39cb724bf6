"""The fault campaign of MQTT meters: messages late, doubled, swapped, cut, glued and lost; no value is wrong.

A value is right when it is the newest that its own meter truly said and that arrived whole, by the meter's own time.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from common.reading.reading import Quantity
from edge.driver.message_book import Heard, MessageBook
from edge.driver.outcome import DeviceConfig, WireStats
from tests.edge.driver.builders import NOON, catalogue, device
from tests.support.randomness import Random, seeded

KINDS = (
    "none", "late", "doubled", "doubled_later", "swapped", "wrong_topic", "truncated", "torn", "retained", "lost",
)  # fmt: skip
MODEL = "chirpstack-litres-u32"
METERS = [device(n, MODEL, f"{n:016x}", Quantity.VOLUME) for n in (1, 2, 3)]


def uplink(meter: DeviceConfig, number: int, said_at: datetime) -> bytes:
    """Return a message whose counter is its own number."""
    content = {
        "deduplicationId": f"{meter.address}-{number}",
        "time": said_at.isoformat(),
        "deviceInfo": {"devEui": meter.address},
        "fPort": 1,
        "data": base64.b64encode(number.to_bytes(4, "little")).decode(),
    }
    return json.dumps(content).encode()


@dataclass(slots=True)
class Air:
    """Delivers messages with a fault each, and knows the newest true value of every meter."""

    rng: Random
    book: MessageBook = field(default_factory=lambda: MessageBook(WireStats()))
    now: datetime = NOON
    number: int = 0
    newest: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    delayed: list[tuple[DeviceConfig, int, datetime]] = field(default_factory=list)
    injected: Counter[str] = field(default_factory=Counter)

    def speak(self, meter: DeviceConfig) -> None:
        """Let a meter say its next value, with one fault drawn from the seed."""
        self.number += 1
        self.now += timedelta(seconds=self.rng.randrange(1, 30))
        kind, said = self.rng.choice(KINDS), (meter, self.number, self.now)
        self.injected[kind] += 1
        whole = uplink(*said)
        cut = self.rng.randrange(1, len(whole))
        if kind in {"late", "doubled_later"}:
            self.delayed.append(said)
        if kind in {"none", "doubled", "doubled_later"}:
            self._arrive(*said)
        if kind == "doubled":
            self._arrive(*said)
        elif kind == "swapped":
            self._release()
            self._arrive(*said)
        elif kind == "wrong_topic":
            self._hear(self.rng.choice([one for one in METERS if one != meter]), whole)
        elif kind == "truncated":
            self._hear(meter, whole[:cut])
        elif kind == "torn":
            self._hear(meter, whole[:cut] + uplink(meter, self.number - 1, self.now))
        elif kind == "retained":
            self._hear(meter, whole.replace(b'"time"', b'"when"'), retained=True)
        if self.rng.random() < 0.3:
            self._release()

    def _release(self) -> None:
        """Let one delayed message arrive."""
        if self.delayed:
            self._arrive(*self.delayed.pop(self.rng.randrange(len(self.delayed))))

    def _arrive(self, meter: DeviceConfig, number: int, said_at: datetime) -> None:
        known = self.newest.get(meter.serial)
        if known is None or known[0] <= said_at:
            self.newest[meter.serial] = (said_at, number)
        self._hear(meter, uplink(meter, number, said_at))

    def _hear(self, meter: DeviceConfig, payload: bytes, *, retained: bool = False) -> None:
        topic = f"application/a1/device/{meter.address}/event/up"
        self.book.take(Heard(topic=topic, payload=payload, retained=retained, at=self.now))


def run_messages(asked: int, seed: int) -> tuple[int, int, Mapping[str, int]]:
    """Speak as often as asked; return how many reads were right, how many wrong, and which faults were injected."""
    air = Air(seeded(seed))
    for meter in METERS:
        air.book.add(meter, catalogue().profile(MODEL))
    right = wrong = 0
    for _ in range(asked):
        air.speak(air.rng.choice(METERS))
        meter = air.rng.choice(METERS)
        points = air.book.outcome(meter, air.now).points
        if points:
            true = air.newest.get(meter.serial, (None, -1))[1]
            right += points[0].value_milli == true
            wrong += points[0].value_milli != true
    return right, wrong, dict(air.injected)
