"""Byte lines: a pty serial port and a TCP converter behave alike, are owned alone, and come back after a loss."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import minimalmodbus
import pytest

from edge.transport.line import INBOX_BYTES_MOST, LinkLostError, serial_line, tcp_line
from tests.edge.driver.memory_line import memory_line
from tests.support.streams import stream_server
from tests.support.virtual_time import run_virtually


@pytest.fixture
def pty() -> Iterator[tuple[int, str]]:
    master, slave = os.openpty()
    tty.setraw(slave)
    yield master, os.ttyname(slave)
    for descriptor in (master, slave):
        os.close(descriptor)


@asynccontextmanager
async def echoing_server() -> AsyncIterator[tuple[int, list[asyncio.StreamWriter]]]:
    writers: list[asyncio.StreamWriter] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        while data := await reader.read(100):
            writer.write(data)

    async with stream_server(talk) as address:
        yield int(address.rpartition(":")[2]), writers


async def test_a_serial_line_carries_bytes_both_ways(pty: tuple[int, str]) -> None:
    master, path = pty
    line = serial_line(path, 9600, "none")
    await line.open()
    await line.write(b"\x01\x03\x11\x13")
    await asyncio.sleep(0.02)

    assert os.read(master, 100) == b"\x01\x03\x11\x13"

    os.write(master, b"\x16\x00\xfe\x0a\x0d")
    assert await line.read(1.0) == b"\x16\x00\xfe\x0a\x0d"
    await line.close()


async def test_a_serial_port_has_one_owner(pty: tuple[int, str]) -> None:
    _, path = pty
    first, second = serial_line(path, 9600, "none"), serial_line(path, 9600, "none")
    await first.open()

    with pytest.raises(LinkLostError, match="cannot be opened"):
        await second.open()
    await first.close()


async def test_a_closed_serial_port_is_free_for_another_program_at_once(pty: tuple[int, str]) -> None:
    _, path = pty
    for _ in range(50):
        line = serial_line(path, 9600, "none")
        await line.open()
        await line.close()
        with minimalmodbus.serial.Serial(path, exclusive=True) as port:
            assert port.is_open


async def test_silence_is_empty_and_bounded() -> None:
    async with echoing_server() as (port, _):
        line = tcp_line("127.0.0.1", port)
        await line.open()

        async with asyncio.timeout(2):
            assert await line.read(0.02) == b""
        await line.close()


async def test_what_nobody_read_can_be_dropped() -> None:
    async with echoing_server() as (port, _):
        line = tcp_line("127.0.0.1", port)
        await line.open()
        await line.write(b"late")
        await asyncio.sleep(0.05)

        assert line.drop_input() == b"late"
        assert line.drop_input() == b""
        await line.close()


async def test_a_lost_connection_is_said_at_once_and_comes_back() -> None:
    async with echoing_server() as (port, writers):
        line = tcp_line("127.0.0.1", port)
        await line.open()
        await line.write(b"x")
        assert await line.read(1.0) == b"x"
        writers[0].close()

        async with asyncio.timeout(2):
            with pytest.raises(LinkLostError, match="broke"):
                await line.read(1.0)
        await line.open()
        await line.write(b"y")
        assert await line.read(1.0) == b"y"
        await line.close()


@pytest.mark.parametrize(
    "build",
    [lambda: tcp_line("127.0.0.1", 9), lambda: serial_line("/dev/no-such-port", 9600, "even")],
    ids=["tcp", "serial"],
)
async def test_a_line_that_is_not_there_refuses_at_once_and_again_without_trying(build: Callable[[], object]) -> None:
    line = build()

    async with asyncio.timeout(3):
        for expected in ("cannot be opened", "the next attempt follows"):
            with pytest.raises(LinkLostError, match=expected):
                await line.open()  # type: ignore[attr-defined]


async def test_a_closed_line_refuses_to_write() -> None:
    with pytest.raises(LinkLostError):
        await tcp_line("127.0.0.1", 9).write(b"x")


def test_a_babbling_line_fills_no_memory() -> None:
    line = memory_line(lambda _: [(0.0, b"\x55" * INBOX_BYTES_MOST), (0.0, b"end")])

    async def flood() -> bytes:
        await line.open()
        await line.write(b"?")
        await asyncio.sleep(1)
        return line.drop_input()

    kept = run_virtually(flood())

    assert len(kept) == INBOX_BYTES_MOST
    assert kept.endswith(b"end")
