"""Injected faults by the thousand, a protocol each: a line may lose, repeat, swap and tear answers; no value is wrong.

Every answer of the bus holds numbers that are right for one request only, so any answer taken for another question,
an older question about the same register included, shows as a wrong value. Delays stay within the profile's longest
answer time, as the guard's promise says. `python -m tests.edge.driver.campaign` runs all of them at full length.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from common.reading.reading import Quantity
from edge.device.model import Profile
from edge.device.plan import Block, read_plan
from edge.driver.asking import Asker, BlockData
from edge.driver.exchanger import LinePace
from edge.driver.line_asker import LineAsker
from edge.driver.outcome import DeviceConfig, WireStats
from tests.edge.driver.builders import catalogue, device
from tests.edge.driver.memory_line import memory_line
from tests.edge.driver.message_campaign import run_messages
from tests.edge.driver.tcp_campaign import run_tcp
from tests.simulation.devices.converter import close_frame, digits
from tests.simulation.devices.mbus_slaves import frame as mbus_frame
from tests.simulation.devices.rtu_pty import checksum
from tests.support.randomness import Random, seeded
from tests.support.virtual_time import run_virtually

FULL = 12_000
SEED = 20260101
BAUD = 9600
KINDS = (
    "none", "late", "doubled", "doubled_later", "swapped", "truncated", "torn", "noise", "lost", "unheard", "split",
)  # fmt: skip
MESSAGES = "MQTT"
ANSWER_S = 0.03
SPLIT_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a campaign: answers taken, how many were wrong, and which faults were injected."""

    asked: int
    right: int
    wrong: int
    injected: Mapping[str, int]

    @property
    def faults(self) -> int:
        """Return how many answers were tampered with."""
        return sum(count for kind, count in self.injected.items() if kind != "none")


@dataclass(frozen=True, slots=True)
class Told:
    """What one request was truly answered: the frame on the line, the data inside, and whether earlier data stays."""

    frame: bytes
    data: bytes
    goes_on: bool = False


def answer_rtu(request: bytes, number: int) -> Told:
    """Answer a read of registers."""
    count = int.from_bytes(request[4:6])
    data = b"".join((number * 7 + n & 0xFFFF).to_bytes(2) for n in range(count))
    body = request[:2] + bytes([len(data)]) + data
    return Told(body + checksum(body), data)


def answer_dlt645(request: bytes, number: int) -> Told:
    """Answer a read of either edition; how long an item is, the shipped models say."""
    frame = request.lstrip(b"\xfe")
    identifier = frame[10:-2]
    printed = bytes((byte - 0x33) % 256 for byte in identifier)[::-1].hex()
    data = b"".join(digits((number * 3 + n) % 100, 1) for n in range(_SIZES[printed]))
    scrambled = identifier + bytes((byte + 0x33) % 256 for byte in data)
    head = frame[:8] + bytes([frame[8] | 0x80, len(scrambled)])
    return Told(b"\xfe\xfe" + close_frame(head + scrambled), data)


def answer_cjt188(request: bytes, number: int) -> Told:
    """Answer a read of the metering item."""
    frame = request.lstrip(b"\xfe")
    data = digits(number, 4) + b"\x2c" + digits(number, 4) + b"\x2c" + digits(number, 7) + b"\x00\x00"
    return Told(b"\xfe" + close_frame(frame[:9] + bytes([0x81, 3 + len(data)]) + frame[11:14] + data), data)


class MbusMeters:
    """M-Bus meters whose every readout shows another number; odd addresses need two telegrams for it."""

    def __init__(self) -> None:
        self._states: dict[int, tuple[int | None, int]] = {}

    def __call__(self, request: bytes, number: int) -> Told:
        """Answer a reset or a request of a telegram."""
        control, address = request[1], request[2]
        if control == 0x40:
            self._states[address] = (None, -1)
            return Told(b"\xe5", b"")
        bit = control >> 5 & 1
        before, at = self._states.get(address, (None, -1))
        at = at if bit == before else at + 1
        self._states[address] = (bit, at)
        energy, volume = (code + number.to_bytes(4, "little") for code in (b"\x04\x06", b"\x04\x14"))
        records = (energy + b"\x1f" if at % 2 == 0 else volume) if address % 2 else energy + volume
        head = b"\x72" + bytes([address, 0, 0, 0x12]) + bytes.fromhex("2d2c1b04") + bytes([number & 0xFF, 0, 0, 0])
        frame = mbus_frame(0x08, address, head + records)
        return Told(frame, frame, goes_on=True)


@dataclass(slots=True)
class FaultyBus:
    """Answers requests, each with one fault drawn from the seed."""

    answer: Callable[[bytes, int], Told]
    longest_s: float
    rng: Random
    numbers: int = 0
    truth: bytes = b""
    previous: bytes = b""
    previous_at: float = float("-inf")
    injected: Counter[str] = field(default_factory=Counter)

    def __call__(self, request: bytes) -> Iterator[tuple[float, bytes]]:
        kind = self.rng.choice(KINDS)
        self.injected[kind] += 1
        if kind == "unheard":
            return
        self.numbers += 1
        told = self.answer(request, self.numbers)
        self.truth = self.truth + told.data if told.goes_on else told.data
        now = asyncio.get_running_loop().time()
        recent = now + ANSWER_S - self.previous_at < self.longest_s
        stranger = self.previous if recent else told.frame
        self.previous, self.previous_at = told.frame, now
        yield from self._put(kind, told.frame, stranger)

    def _put(self, kind: str, frame: bytes, stranger: bytes) -> Iterator[tuple[float, bytes]]:
        cut = self.rng.randrange(1, max(2, len(frame)))
        later_s = self.rng.uniform(ANSWER_S, self.longest_s * 0.99)
        if kind == "late":
            yield later_s, frame
        elif kind == "doubled":
            yield ANSWER_S, frame + frame
        elif kind == "doubled_later":
            yield ANSWER_S, frame
            yield later_s, frame
        elif kind == "swapped":
            yield ANSWER_S, stranger
            yield later_s, frame
        elif kind == "truncated":
            yield ANSWER_S, frame[:cut]
        elif kind == "torn":
            yield ANSWER_S, frame[:cut] + stranger
        elif kind == "noise":
            yield ANSWER_S, self.rng.randbytes(self.rng.randrange(1, 9)) + frame
        elif kind == "split":
            yield ANSWER_S, frame[:cut]
            yield ANSWER_S + SPLIT_S, frame[cut:]
        elif kind == "none":
            yield ANSWER_S, frame


@dataclass(frozen=True, slots=True)
class Scene:
    """The meters of one line and the quantities asked of them."""

    answers: Callable[[], Callable[[bytes, int], Told]]
    devices: Sequence[DeviceConfig]


ELECTRIC = (Quantity.ENERGY_FORWARD, Quantity.ENERGY_T1, Quantity.VOLTAGE, Quantity.POWER)
HEAT = (Quantity.HEAT_ENERGY, Quantity.VOLUME)
_SIZES = {
    item.identifier: item.data_bytes
    for model in ("dlt645-2007-single-phase", "dlt645-1997")
    for item in catalogue().profile(model).items
}
SCENES = {
    "Modbus RTU": Scene(
        lambda: answer_rtu,
        [
            device(1, "eastron-sdm120", "1", Quantity.ENERGY_FORWARD, Quantity.VOLTAGE),
            device(2, "eastron-sdm120", "2", Quantity.ENERGY_FORWARD, Quantity.VOLTAGE),
            device(3, "acrel-dtsd1352", "3", Quantity.ENERGY_FORWARD, Quantity.VOLTAGE, Quantity.POWER),
        ],
    ),
    "DL/T 645-2007": Scene(
        lambda: answer_dlt645,
        [
            device(1, "dlt645-2007-single-phase", "000000000016", *ELECTRIC),
            device(2, "dlt645-2007-single-phase", "161616161616", *ELECTRIC),
        ],
    ),
    "DL/T 645-1997": Scene(
        lambda: answer_dlt645,
        [
            device(1, "dlt645-1997", "000000000016", *ELECTRIC),
            device(2, "dlt645-1997", "161616161616", *ELECTRIC),
        ],
    ),
    "CJ/T 188": Scene(
        lambda: answer_cjt188,
        [
            device(1, "cjt188-water", "00000000001610", Quantity.VOLUME),
            device(2, "cjt188-water", "16161616161616", Quantity.VOLUME),
        ],
    ),
    "M-Bus": Scene(MbusMeters, [device(n, "kamstrup-multical-601", str(n), *HEAT) for n in (1, 2, 3)]),
}


def _questions(devices: Sequence[DeviceConfig]) -> list[tuple[Profile, DeviceConfig, Block]]:
    found = []
    for one in devices:
        profile = catalogue().profile(one.profile)
        found += [(profile, one, block) for block in read_plan(profile, one.points)]
    return found


async def _ask_all(asker: Asker, scene: Scene, bus: FaultyBus, asked: int) -> Result:
    questions = _questions(scene.devices)
    right = wrong = 0
    for _ in range(asked):
        profile, one, block = bus.rng.choice(questions)
        result = await asker.ask(profile, one, block)
        if isinstance(result, BlockData):
            right += result.data == bus.truth
            wrong += result.data != bus.truth
    return Result(asked=asked, right=right, wrong=wrong, injected=dict(bus.injected))


def run_line(name: str, asked: int, seed: int = SEED) -> Result:
    """Run the campaign of a serial protocol on virtual time."""
    scene = SCENES[name]
    profiles = [catalogue().profile(one.profile) for one in scene.devices]
    longest_s = min(profile.timing.longest_ms for profile in profiles) / 1000
    bus = FaultyBus(scene.answers(), longest_s, seeded(seed))
    asker = LineAsker(memory_line(bus), LinePace.of_baud(BAUD), WireStats(), echo=False)
    return run_virtually(_ask_all(asker, scene, bus, asked))


def run(name: str, asked: int, seed: int = SEED) -> Result:
    """Run the campaign of a protocol; `asked` questions, most of them with a fault."""
    if name in SCENES:
        return run_line(name, asked, seed)
    if name == MESSAGES:
        right, wrong, injected = run_messages(asked, seed)
    else:
        right, wrong, injected = asyncio.run(run_tcp(asked, seed))
    return Result(asked=asked, right=right, wrong=wrong, injected=injected)


PROTOCOLS = (*SCENES, MESSAGES, "Modbus TCP")


def main(argv: Sequence[str] | None = None) -> int:
    """Run every campaign and print a table; the exit code is 1 when a value was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.edge.driver.campaign", description=__doc__)
    parser.add_argument("--asked", type=int, default=FULL, help="questions a protocol")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(argv)
    for noisy in ("pymodbus.logging", "asyncio"):  # both print every damaged frame
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    wrong = 0
    sys.stdout.write(f"{'protocol':<16}{'asked':>8}{'faults':>8}{'taken':>8}{'wrong':>8}\n")
    for name in PROTOCOLS:
        result = run(name, options.asked, options.seed)
        wrong += result.wrong
        taken = result.right + result.wrong
        sys.stdout.write(f"{name:<16}{result.asked:>8}{result.faults:>8}{taken:>8}{result.wrong:>8}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
