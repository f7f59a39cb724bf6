"""Modbus TCP against pymodbus servers and against a server that lies: only the answer to the very question counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from typing_extensions import Buffer, override

from common.reading.reading import Quantity
from edge.driver.health import BackOff
from edge.driver.meter_wire import MeterWire
from edge.driver.modbus_tcp_asker import ModbusTcpAsker
from edge.driver.outcome import FailureKind, WireKind, WireStats
from tests.edge.driver.builders import NOON, StandingClock, catalogue, device, wire_config
from tests.simulation.devices.description import FaultEntry, Line, Meter, Site
from tests.simulation.devices.house import serve_site
from tests.support.streams import stream_server

WANTED = device(1, "schneider-iem3155", "1", Quantity.ENERGY_FORWARD)
Answer = Callable[[bytes], bytes]


class _Between(asyncio.BufferedProtocol):
    """Stands between a connection and its socket and does something in the moment in which bytes come."""

    def __init__(self, socket: asyncio.BufferedProtocol, at_the_answer: Callable[[], object]) -> None:
        self._socket = socket
        self._at_the_answer = at_the_answer

    @override
    def get_buffer(self, sizehint: int) -> Buffer:
        return self._socket.get_buffer(sizehint)

    @override
    def buffer_updated(self, nbytes: int) -> None:
        self._at_the_answer()
        self._socket.buffer_updated(nbytes)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._socket.connection_lost(exc)


def wire_to(address: str) -> MeterWire:
    host, _, port = address.rpartition(":")
    stats = WireStats()
    config = wire_config(WireKind.MODBUS_TCP, address)
    asker = ModbusTcpAsker(host, int(port), stats)
    return MeterWire(config, catalogue(), asker, stats, StandingClock(), BackOff(first_s=0.01, most_s=0.02))


def meters(*models: str, faults: tuple[FaultEntry, ...] = ()) -> Site:
    return Site(
        seed=7,
        epoch=NOON.replace(month=1),
        lines=(Line(line="tcp", kind="modbus-tcp", listen="127.0.0.1:0"),),
        meters=tuple(
            Meter(serial=f"T{n}", model=model, line="tcp", address=str(n), start_milli=5_000_000)
            for n, model in enumerate(models, start=1)
        ),
        faults=faults,
    )


def sound(request: bytes) -> bytes:
    data = (12345678).to_bytes(8)
    return request[:4] + (3 + len(data)).to_bytes(2) + request[6:8] + bytes([len(data)]) + data


def answering(answer: Answer) -> AbstractAsyncContextManager[str]:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.read(260):
            writer.write(answer(request))

    return stream_server(talk)


async def test_several_units_behind_one_port_are_read_with_their_raw_frames(tmp_path: Path) -> None:
    async with serve_site(meters("eastron-sdm120", "schneider-iem3155"), StandingClock(), tmp_path) as addresses:
        wire = wire_to(addresses["tcp"])
        first = await wire.read(device(1, "eastron-sdm120", "1", Quantity.ENERGY_FORWARD, Quantity.VOLTAGE))
        second = await wire.read(device(2, "schneider-iem3155", "2", Quantity.ENERGY_FORWARD))
        await wire.close()

    assert {point.quantity for point in first.points} == {Quantity.ENERGY_FORWARD, Quantity.VOLTAGE}
    assert second.points[0].value_milli > 5_000_000
    assert second.request[6] == 2
    assert second.request[:2] == second.response[:2]


async def test_a_silent_unit_is_a_time_out_and_its_neighbour_answers(tmp_path: Path) -> None:
    site = meters("eastron-sdm120", "schneider-iem3155", faults=(FaultEntry(kind="dead", serial="T1"),))
    async with serve_site(site, StandingClock(), tmp_path) as addresses:
        wire = wire_to(addresses["tcp"])
        dead = await wire.read(device(1, "eastron-sdm120", "1"))
        alive = await wire.read(device(2, "schneider-iem3155", "2"))
        await wire.close()

    assert dead.failures[0].kind is FailureKind.TIMEOUT
    assert alive.points[0].value_milli > 5_000_000


async def test_a_refusal_carries_the_exception_in_words(tmp_path: Path) -> None:
    site = meters("schneider-iem3155", faults=(FaultEntry(kind="refuse", serial="T1"),))
    async with serve_site(site, StandingClock(), tmp_path) as addresses:
        wire = wire_to(addresses["tcp"])
        outcome = await wire.read(WANTED)
        await wire.close()

    assert outcome.failures[0].kind is FailureKind.REFUSED
    assert outcome.failures[0].detail == "device failure"


async def test_nobody_there_is_a_lost_link_at_once_and_again() -> None:
    wire = wire_to("127.0.0.1:9")

    async with asyncio.timeout(4):
        outcomes = [await wire.read(WANTED) for _ in range(3)]

    assert {outcome.failures[0].kind for outcome in outcomes} == {FailureKind.LINK_LOST}


LIES: dict[str, Answer] = {
    "a transaction of its own": lambda r: b"\x7f\x7f" + sound(r)[2:],
    "transaction zero": lambda r: b"\0\0" + sound(r)[2:],
    "another unit": lambda r: sound(r)[:6] + b"\x09" + sound(r)[7:],
    "another function": lambda r: sound(r)[:7] + b"\x04" + sound(r)[8:],
    "too few registers": lambda r: r[:4] + b"\x00\x05" + r[6:8] + b"\x02\x00\x01",
    "half a frame": lambda r: sound(r)[:9],
    "the answer torn and begun again": lambda r: sound(r)[:12] + sound(r),
    "no Modbus at all": lambda _: b"HTTP/1.1 400 Bad Request\r\n\r\n",
}


@pytest.mark.parametrize("name", LIES)
async def test_an_answer_that_is_not_to_the_question_gives_no_value(name: str) -> None:
    async with answering(LIES[name]) as address:
        wire = wire_to(address)
        outcome = await wire.read(WANTED)
        await wire.close()

    assert outcome.points == ()
    assert outcome.failures[0].kind in {FailureKind.TIMEOUT, FailureKind.BAD_FRAME, FailureKind.LINK_LOST}


async def test_a_late_answer_is_not_taken_for_the_next_question() -> None:
    late: list[bytes] = []

    def first_late(request: bytes) -> bytes:
        late.append(sound(request)[:9] + (99).to_bytes(8))
        return b"" if len(late) == 1 else late[0] + sound(request)

    async with answering(first_late) as address:
        wire = wire_to(address)
        outcome = await wire.read(WANTED)
        await wire.close()

    assert [point.value_milli for point in outcome.points] == [12_345_678]


async def test_half_a_frame_that_came_between_two_questions_ends_the_connection() -> None:
    """Half a frame in front of the next answer would shift it; the question goes out on a fresh connection."""
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while request := await reader.read(260):
            writer.write(sound(request))
            if connections == 1:
                await asyncio.sleep(0.05)
                writer.write(sound(request)[:11])

    async with stream_server(talk) as address:
        wire = wire_to(address)
        first = await wire.read(WANTED)
        await asyncio.sleep(0.1)
        second = await wire.read(WANTED)
        await wire.close()

    assert [point.value_milli for point in (*first.points, *second.points)] == [12_345_678] * 2
    assert connections == 2


async def test_a_connection_that_the_other_side_ends_at_a_question_is_a_lost_link_and_opened_anew() -> None:
    asked = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        while request := await reader.read(260):
            asked += 1
            if asked == 1:
                return
            writer.write(sound(request))

    async with stream_server(talk) as address:
        wire = wire_to(address)
        first = await wire.read(WANTED)
        second = await wire.read(WANTED)
        await wire.close()

    assert first.failures[0].kind is FailureKind.LINK_LOST
    assert "closed the connection" in first.failures[0].detail
    assert [point.value_milli for point in second.points] == [12_345_678]


async def test_a_connection_that_was_cut_is_opened_again() -> None:
    async with answering(sound) as address:
        wire = wire_to(address)
        before = await wire.read(WANTED)
        await wire.close()
        after = await wire.read(WANTED)
        await wire.close()

    assert before.points
    assert after.points


async def test_a_reader_told_to_end_in_the_moment_of_the_answer_ends() -> None:
    """Python 3.11 forgets a cancellation that meets its answer; a gateway that forgets it never stops."""
    async with answering(sound) as address:
        wire = wire_to(address)
        assert (await wire.read(WANTED)).points
        asker = wire._asker
        assert isinstance(asker, ModbusTcpAsker)
        assert asker._socket is not None
        transport = asker._socket._transport
        assert isinstance(transport, asyncio.Transport)
        reading = asyncio.ensure_future(wire.read(WANTED))
        transport.set_protocol(_Between(asker._socket, reading.cancel))
        with pytest.raises(asyncio.CancelledError):
            await reading
        await wire.close()


async def test_an_answer_kept_from_the_connection_before_answers_nothing() -> None:
    kept: list[bytes] = []

    def answer(request: bytes) -> bytes:
        kept.append(sound(request))
        return kept[0][:11] if len(kept) == 1 else kept[0]

    async with answering(answer) as address:
        wire = wire_to(address)
        outcome = await wire.read(WANTED)
        await wire.close()

    assert len(kept) >= 2
    assert outcome.points == ()
