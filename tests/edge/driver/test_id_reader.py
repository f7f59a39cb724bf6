"""A reader of identity cards over a real socket: a card is waited for, read once and masked; a misread is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from common.errors import RefusalError
from edge.driver.id_reader import IdReader, check_digit_holds, shown
from edge.protocol.id_card import DONE, FIND, FOUND, READ, SELECT, Identity, command, payload
from edge.transport.line import LinkLostError, tcp_line
from tests.edge.protocol.test_id_card import answer

NUMBER = "11010119900307109X"  # made up, with the check digit of the standard
NOBODY = bytes.fromhex("000080")
Answers = Callable[[bytes], bytes]


@asynccontextmanager
async def reader_with(answers: Answers) -> AsyncIterator[tuple[IdReader, list[bytes]]]:
    """Serve a reader that answers each command, and yield the driver of its line with what was asked."""
    asked: list[bytes] = []

    def noted(parts: bytes) -> bytes:
        asked.append(parts)
        return answers(parts)

    async with served(noted) as address:
        driver = IdReader(tcp_line(*address))
        try:
            yield driver, asked
        finally:
            await driver.close()


@asynccontextmanager
async def served(answers: Answers) -> AsyncIterator[tuple[str, int]]:
    """Be the reader behind a port; each answer comes in two pieces."""
    talks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            while frame := await reader.read(64):
                said = answers(payload(frame))
                for piece in (said[:3], said[3:]):
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0.01)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[:2]
        if talks:
            await asyncio.wait(talks, timeout=5)


def card_after(looks: int, read: bytes) -> Answers:
    left = looks

    def answers(parts: bytes) -> bytes:
        nonlocal left
        if parts == FIND:
            left -= 1
            return command(NOBODY if left >= 0 else FOUND)
        return command(DONE) if parts == SELECT else read

    return answers


async def test_a_card_is_waited_for_and_read_once() -> None:
    async with reader_with(card_after(2, answer(number=NUMBER))) as (driver, asked):
        assert await driver.read_card(5) == Identity(name="王小明", number=NUMBER)
        assert asked == [FIND, FIND, FIND, SELECT, READ]


async def test_noise_before_an_answer_is_passed_over() -> None:
    async with reader_with(lambda parts: b"\x00\xff" + card_after(0, answer(number=NUMBER))(parts)) as (driver, _):
        assert (await driver.read_card(5)).number == NUMBER


async def test_no_card_is_said_in_time() -> None:
    async with reader_with(lambda _: command(NOBODY)) as (driver, _):
        with pytest.raises(RefusalError, match="no card was laid"):
            await driver.read_card(0.5)


async def test_a_card_that_is_taken_away_and_a_misread_number_are_refused() -> None:
    async with reader_with(lambda parts: command(FOUND if parts == FIND else NOBODY)) as (driver, _):
        with pytest.raises(RefusalError, match="taken away too soon"):
            await driver.read_card(5)
    async with reader_with(card_after(0, answer(number="110101199003071098"))) as (driver, _):
        with pytest.raises(RefusalError, match="check digit"):
            await driver.read_card(5)


async def test_a_reader_that_says_half_and_one_that_is_not_there_never_hang() -> None:
    async with reader_with(lambda _: command(FOUND)[:6]) as (driver, _):
        with pytest.raises(RefusalError):
            await driver.read_card(4)
    with pytest.raises(LinkLostError):
        await IdReader(tcp_line("127.0.0.1", 9)).read_card(1)


def test_people_see_a_letter_and_two_digits() -> None:
    name, number = shown(Identity(name="王小明", number=NUMBER))

    assert (name, number) == ("王**", "*" * 16 + "9X")


@pytest.mark.parametrize(
    ("number", "holds"),
    [(NUMBER, True), (NUMBER.lower(), True), ("110101199003071098", False), ("1101011990030710", False), ("", False)],
)
def test_the_check_digit_is_that_of_the_standard(number: str, *, holds: bool) -> None:
    assert check_digit_holds(number) is holds
