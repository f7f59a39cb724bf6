"""A call that never reached the provider was not sent; one that broke afterwards is unknown."""

from __future__ import annotations

import asyncio

import httpx

from cloud.kit.calls import ANSWER_BYTES_MAX, Later, Unknown, call


async def answered(answer: bytes) -> object:
    """Return what a call came to at a server that says these bytes and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, httpx.AsyncClient() as http:
        return await call(http, http.build_request("GET", f"http://127.0.0.1:{port}/"))


def said(body: bytes, status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


async def test_an_object_is_answered_whatever_its_status() -> None:
    assert await answered(said(b'{"a": 1}')) == {"a": 1}
    assert await answered(said(b'{"a": 1}', "400 Bad")) == {"a": 1}


async def test_what_is_no_object_is_unknown() -> None:
    for raw in (said(b"[]"), said(b"<html>", "502 Bad"), said(b"x" * (ANSWER_BYTES_MAX + 1)), b"HTTP/1.1 200", b""):
        assert isinstance(await answered(raw), Unknown)


async def test_a_provider_that_asks_for_patience_or_is_not_there_has_sent_nothing() -> None:
    assert isinstance(await answered(said(b"{}", "429 Too Many")), Later)
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    async with httpx.AsyncClient() as http:
        assert isinstance(await call(http, http.build_request("GET", f"http://127.0.0.1:{port}/")), Later)
