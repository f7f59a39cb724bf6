"""Every way a line can fail is one kind of failure, and only a whole answer is an answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
import pytest_asyncio

from edge.uplink.errors import LinkError
from edge.uplink.link import CloudLink

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[[bytes], Awaitable[CloudLink]]


@pytest_asyncio.fixture
async def serve() -> AsyncIterator[Serve]:
    """Return a maker of servers that answer every request with the same bytes and close."""
    async with httpx.AsyncClient() as http:
        servers: list[asyncio.Server] = []
        writers: list[asyncio.StreamWriter] = []

        async def make(answer: bytes) -> CloudLink:
            async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                writers.append(writer)
                with contextlib.suppress(asyncio.IncompleteReadError):
                    await reader.readuntil(b"\r\n\r\n")
                    writer.write(answer)
                if answer:
                    writer.close()

            server = await asyncio.start_server(handle, "127.0.0.1", 0)
            servers.append(server)
            return CloudLink(http, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")

        yield make
        for server in servers:
            server.close()
        for writer in writers:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def answer(status: str, body: bytes = b"", kind: str = "application/cose; x=1") -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


async def test_a_whole_answer_is_returned_as_it_is(serve: Serve) -> None:
    link = await serve(answer("409 Conflict", b"receipt"))
    reply = await link.post("/x", b"body")
    assert (reply.status, reply.media_type, reply.body) == (409, "application/cose", b"receipt")


@pytest.mark.parametrize("status", ["500 Oops", "502 Bad Gateway", "503 Busy", "429 Slow down"])
async def test_a_cloud_that_cannot_now_is_tried_again(serve: Serve, status: str) -> None:
    with pytest.raises(LinkError) as failed:
        await (await serve(answer(status))).post("/x", b"")
    assert failed.value.answered


@pytest.mark.parametrize(
    "bytes_",
    [b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\n"],
    ids=["half an answer", "no HTTP", "half a head"],
)
async def test_half_an_answer_is_none(serve: Serve, bytes_: bytes) -> None:
    with pytest.raises(LinkError) as failed:
        await (await serve(bytes_)).post("/x", b"")
    assert not failed.value.answered


async def test_a_cloud_that_stays_silent_is_given_up(serve: Serve) -> None:
    with pytest.raises(LinkError, match=r"no answer|Timeout"):
        await (await serve(b"")).post("/x", b"", wait_s=0.1)


async def test_nobody_there_is_a_failure_and_so_says_the_probe(serve: Serve) -> None:
    there = await serve(answer("200 OK"))
    assert await there.probe()
    async with httpx.AsyncClient() as http:
        nobody = CloudLink(http, "http://127.0.0.1:9")
        assert not await nobody.probe()
        with pytest.raises(LinkError) as failed:
            await nobody.post("/x", b"")
        assert not failed.value.answered


async def test_a_request_answered_with_a_problem_is_a_failure(serve: Serve) -> None:
    good = await serve(answer("200 OK", b"bundles", "application/cbor"))
    assert await good.ask("/x", b"", 5) == b"bundles"
    bad = await serve(answer("401 No", b"{}", "application/problem+json"))
    with pytest.raises(LinkError, match="status 401"):
        await bad.ask("/x", b"", 5)
