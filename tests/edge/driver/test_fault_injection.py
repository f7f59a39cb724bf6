"""Ten thousand injected faults per protocol: a line may lose, repeat, swap and tear answers, and no value is wrong.

Every answer of the bus holds numbers that are right for one request only, so any answer taken for another question,
an older question about the same register included, shows as a wrong value. Delays stay within the profile's longest
answer time, as the guard's promise says.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from common.reading.reading import Quantity
from edge.device.model import Profile
from edge.device.plan import Block, read_plan
from edge.driver.asking import BlockData
from edge.driver.exchanger import LinePace
from edge.driver.line_asker import LineAsker
from edge.driver.outcome import DeviceConfig, WireStats
from tests.edge.driver.builders import catalogue, device
from tests.edge.driver.memory_line import memory_line
from tests.simulation.devices.converter import close_frame, digits
from tests.simulation.devices.rtu_pty import checksum
from tests.support.randomness import Random, seeded
from tests.support.virtual_time import run_virtually

ASKED = 12_000
FAULTS_LEAST = 10_000
SEED = 20260101
BAUD = 9600
KINDS = ("none", "late", "doubled", "doubled_later", "swapped", "truncated", "torn", "noise", "lost", "split")
ANSWER_S = 0.03


@dataclass(frozen=True, slots=True)
class Told:
    """What one request was truly answered: the frame on the line and the data inside."""

    frame: bytes
    data: bytes


def answer_rtu(request: bytes, number: int) -> Told:
    count = int.from_bytes(request[4:6])
    data = b"".join((number * 7 + n & 0xFFFF).to_bytes(2) for n in range(count))
    body = request[:2] + bytes([len(data)]) + data
    return Told(body + checksum(body), data)


def answer_dlt645(request: bytes, number: int) -> Told:
    frame = request.lstrip(b"\xfe")
    identifier = frame[10:14]
    sizes = {"00010000": 4, "0001ff00": 20, "02010100": 2, "02030000": 3}
    printed = bytes((byte - 0x33) % 256 for byte in identifier)[::-1].hex()
    data = b"".join(digits((number * 3 + n) % 100, 1) for n in range(sizes[printed]))
    scrambled = identifier + bytes((byte + 0x33) % 256 for byte in data)
    return Told(b"\xfe\xfe" + close_frame(frame[:8] + bytes([0x91, len(scrambled)]) + scrambled), data)


def answer_cjt188(request: bytes, number: int) -> Told:
    frame = request.lstrip(b"\xfe")
    data = digits(number, 4) + b"\x2c" + digits(number, 4) + b"\x2c" + digits(number, 7) + b"\x00\x00"
    return Told(b"\xfe" + close_frame(frame[:9] + bytes([0x81, 3 + len(data)]) + frame[11:14] + data), data)


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
        self.numbers += 1
        told = self.answer(request, self.numbers)
        self.truth = told.data
        kind = self.rng.choice(KINDS)
        self.injected[kind] += 1
        now = asyncio.get_running_loop().time()
        recent = now + ANSWER_S - self.previous_at < self.longest_s
        stranger = self.previous if recent else told.frame
        self.previous, self.previous_at = told.frame, now
        yield from self._put(kind, told.frame, stranger)

    def _put(self, kind: str, frame: bytes, stranger: bytes) -> Iterator[tuple[float, bytes]]:
        cut = self.rng.randrange(1, len(frame))
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
            yield ANSWER_S + 0.02, frame[cut:]
        elif kind == "none":
            yield ANSWER_S, frame


@dataclass(frozen=True, slots=True)
class Scene:
    """The meters of one line and the quantities asked of them."""

    answer: Callable[[bytes, int], Told]
    devices: Sequence[DeviceConfig]


ELECTRIC = (Quantity.ENERGY_FORWARD, Quantity.ENERGY_T1, Quantity.VOLTAGE, Quantity.POWER)
SCENES = {
    "modbus rtu": Scene(
        answer_rtu,
        [
            device(1, "eastron-sdm120", "1", Quantity.ENERGY_FORWARD, Quantity.VOLTAGE),
            device(2, "eastron-sdm120", "2", Quantity.ENERGY_FORWARD, Quantity.VOLTAGE),
            device(3, "acrel-dtsd1352", "3", Quantity.ENERGY_FORWARD, Quantity.VOLTAGE, Quantity.POWER),
        ],
    ),
    "dl/t 645": Scene(
        answer_dlt645,
        [
            device(1, "dlt645-2007-single-phase", "000000000016", *ELECTRIC),
            device(2, "dlt645-2007-single-phase", "161616161616", *ELECTRIC),
        ],
    ),
    "cj/t 188": Scene(
        answer_cjt188,
        [
            device(1, "cjt188-water", "00000000001610", Quantity.VOLUME),
            device(2, "cjt188-water", "16161616161616", Quantity.VOLUME),
        ],
    ),
}


def _questions(devices: Sequence[DeviceConfig]) -> list[tuple[Profile, DeviceConfig, Block]]:
    found = []
    for one in devices:
        profile = catalogue().profile(one.profile)
        found += [(profile, one, block) for block in read_plan(profile, one.points)]
    return found


async def ask_all(scene: Scene, bus: FaultyBus) -> tuple[int, int]:
    """Ask as often as the test demands; return how many answers were right and how many wrong."""
    asker = LineAsker(memory_line(bus), LinePace.of_baud(BAUD), WireStats(), echo=False)
    questions = _questions(scene.devices)
    right = wrong = 0
    for _ in range(ASKED):
        profile, one, block = bus.rng.choice(questions)
        result = await asker.ask(profile, one, block)
        if isinstance(result, BlockData):
            right += result.data == bus.truth
            wrong += result.data != bus.truth
    return right, wrong


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", SCENES)
def test_no_injected_fault_makes_a_wrong_value(name: str) -> None:
    scene = SCENES[name]
    profiles = [catalogue().profile(one.profile) for one in scene.devices]
    longest_s = min(profile.timing.longest_ms for profile in profiles) / 1000
    bus = FaultyBus(scene.answer, longest_s, seeded(SEED))

    right, wrong = run_virtually(ask_all(scene, bus))

    assert wrong == 0
    assert right > ASKED // 3
    assert bus.injected.total() - bus.injected["none"] >= FAULTS_LEAST
    assert min(bus.injected[kind] for kind in KINDS) > ASKED // 20
