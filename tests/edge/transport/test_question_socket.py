"""The socket of one question at a time: what settles it, what ends the waiting, and what came unasked."""

from __future__ import annotations

import asyncio

import pytest

from edge.transport.question_socket import RECEIVED_BYTES_MOST, Ending, QuestionSocket
from tests.support.streams import stream_server


def whole(received: bytes, sent: bytes) -> bool:
    return received.endswith(sent[-1:])


async def opened(address: str) -> QuestionSocket:
    host, _, port = address.rpartition(":")
    return await QuestionSocket.open(host, int(port), whole)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        for n in range(len(data)):
            writer.write(data[n : n + 1])
            await asyncio.sleep(0.001)


async def test_an_answer_in_pieces_settles_the_question_and_is_taken_once() -> None:
    async with stream_server(echo) as address:
        socket = await opened(address)
        endings = [await socket.ask(question, 2) for question in (b"abc.", b"def.")]
        taken = socket.take(), socket.take()
        socket.close()

    assert endings == [Ending.SETTLED] * 2
    assert taken == (b"def.", b"")
    assert not socket.connected


async def test_silence_ends_at_its_own_time_whatever_the_question_before_was_given() -> None:
    async def first_only(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(100))
        await reader.read(-1)

    async with stream_server(first_only) as address:
        socket, loop = await opened(address), asyncio.get_running_loop()
        assert await socket.ask(b"1.", 30) is Ending.SETTLED
        waited = []
        for seconds in (0.2, 0.05):
            began = loop.time()
            assert await socket.ask(b"2.", seconds) is Ending.TIMEOUT
            waited.append(loop.time() - began)
        socket.close()

    assert waited[0] >= 0.2
    assert 0.05 <= waited[1] < 5


async def test_many_questions_share_one_timer() -> None:
    async with stream_server(echo) as address:
        socket = await opened(address)
        await socket.ask(b"0.", 30)
        timer = socket._timer
        for _ in range(20):
            await socket.ask(b"1.", 30)
        assert socket._timer is timer
        socket.close()


async def test_a_connection_that_ends_ends_the_waiting_and_cannot_be_asked() -> None:
    async def leave(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read(100)

    async with stream_server(leave) as address:
        socket = await opened(address)
        assert await socket.ask(b"1.", 30) is Ending.LOST
        assert not socket.connected
        assert await socket.ask(b"2.", 30) is Ending.LOST


async def test_what_comes_unasked_is_kept_bounded_and_forgotten_at_the_next_question() -> None:
    async def chatter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"x" * (2 * RECEIVED_BYTES_MOST))
        writer.write((await reader.read(100))[-1:])

    async with stream_server(chatter) as address:
        socket = await opened(address)
        await asyncio.sleep(0.1)
        unasked = len(socket.received)
        assert await socket.ask(b"1.", 2) is Ending.SETTLED
        socket.close()

    assert 0 < unasked <= RECEIVED_BYTES_MOST
    assert socket.take() == b"."


async def test_nobody_there_is_an_error_at_once() -> None:
    with pytest.raises(OSError, match="Connect call failed"):
        await opened("127.0.0.1:9")
