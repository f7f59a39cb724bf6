"""The fault campaign of Modbus TCP: a real server on loopback that tampers with its answers, one fault a request."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from common.reading.reading import Quantity
from edge.device.model import Profile
from edge.device.plan import read_plan
from edge.driver.asking import BlockData
from edge.driver.modbus_tcp_asker import ModbusTcpAsker
from edge.driver.outcome import WireStats
from tests.edge.driver.builders import catalogue, device
from tests.support.randomness import Random, seeded
from tests.support.streams import stream_server

KINDS = (
    "none", "none", "late", "doubled", "doubled_later", "swapped", "stale", "truncated", "torn", "split", "other_unit",
    "lost",
)  # fmt: skip
PATIENCE_MS = 12
LATE_S = 0.02
SPLIT_S = 0.002
UNITS = (1, 2)


@dataclass(slots=True)
class LyingServer:
    """Answers with numbers that are right for one request only, each answer with a fault drawn from the seed."""

    rng: Random
    numbers: int = 0
    truth: bytes = b""
    previous: bytes = b""
    injected: Counter[str] = field(default_factory=Counter)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client."""
        waiting = b""
        while data := await reader.read(4096):
            waiting += data
            while len(waiting) >= 12:
                request, waiting = waiting[:12], waiting[12:]
                await self._answer(request, writer)

    async def _answer(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        self.numbers += 1
        count = int.from_bytes(request[10:12])
        data = b"".join((self.numbers * 7 + n & 0xFFFF).to_bytes(2) for n in range(count))
        frame = request[:4] + (3 + len(data)).to_bytes(2) + request[6:8] + bytes([len(data)]) + data
        kind = self.rng.choice(KINDS)
        self.injected[kind] += 1
        self.truth = data
        for delay_s, piece in self._pieces(kind, frame):
            if delay_s == 0:
                writer.write(piece)
            else:
                asyncio.get_running_loop().call_later(delay_s, _write, writer, piece)
        self.previous = frame

    def _pieces(self, kind: str, frame: bytes) -> list[tuple[float, bytes]]:
        cut = self.rng.randrange(1, len(frame))
        stranger = self.previous or frame
        return {
            "none": [(0.0, frame)],
            "late": [(LATE_S, frame)],
            "doubled": [(0.0, frame + frame)],
            "doubled_later": [(0.0, frame), (LATE_S, frame)],
            "swapped": [(0.0, stranger), (SPLIT_S, frame)],
            "stale": [(0.0, stranger)],
            "truncated": [(0.0, frame[:cut])],
            "torn": [(0.0, frame[:cut] + stranger)],
            "split": [(0.0, frame[:cut]), (SPLIT_S, frame[cut:])],
            "other_unit": [(0.0, frame[:6] + bytes([frame[6] ^ 3]) + frame[7:])],
            "lost": [],
        }[kind]


def _write(writer: asyncio.StreamWriter, piece: bytes) -> None:
    if not writer.is_closing():
        writer.write(piece)


def _impatient(profile: Profile) -> Profile:
    timing = replace(profile.timing, answer_ms=PATIENCE_MS, longest_ms=PATIENCE_MS)
    return replace(profile, timing=timing)


async def run_tcp(asked: int, seed: int) -> tuple[int, int, Mapping[str, int]]:
    """Ask a lying server; return how many answers were right, how many wrong, and which faults were injected."""
    server = LyingServer(seeded(seed))
    profile = _impatient(catalogue().profile("schneider-iem3155"))
    meters = [device(unit, profile.model, str(unit), Quantity.ENERGY_FORWARD, Quantity.POWER) for unit in UNITS]
    blocks = read_plan(profile, meters[0].points)
    right = wrong = 0
    async with stream_server(server.talk) as address:
        host, _, port = address.rpartition(":")
        asker = ModbusTcpAsker(host, int(port), WireStats())
        for _ in range(asked):
            result = await asker.ask(profile, server.rng.choice(meters), server.rng.choice(blocks))
            if isinstance(result, BlockData):
                right += result.data == server.truth
                wrong += result.data != server.truth
        await asker.close()
    return right, wrong, dict(server.injected)
