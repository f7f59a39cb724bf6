"""Every end of a call that brought no whole answer is unknown, with its reason."""

from __future__ import annotations

import httpx
import pytest

from cloud.payments.channels import calls
from cloud.payments.channels.provider import Unknown, UnknownReason


async def outcome(answer: httpx.Response | Exception, size_max: int = 10) -> bytes | Unknown:
    def serve(request: httpx.Request) -> httpx.Response:
        del request
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with httpx.AsyncClient(transport=httpx.MockTransport(serve)) as http:
        return await calls.send_form(http, "http://channel.test/", {"a": "物业"}, size_max=size_max)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx.ConnectError("x"), UnknownReason.UNREACHABLE),
        (httpx.ReadTimeout("x"), UnknownReason.TIMEOUT),
        (TimeoutError(), UnknownReason.TIMEOUT),
        (httpx.Response(429), UnknownReason.RATE_LIMITED),
        (httpx.Response(500), UnknownReason.SERVER_ERROR),
        (httpx.Response(302, headers={"Location": "http://evil.test/"}), UnknownReason.SERVER_ERROR),
        (httpx.Response(200, content=b"x" * 11), UnknownReason.UNREADABLE),
    ],
)
async def test_what_is_no_whole_answer_is_unknown(answer: httpx.Response | Exception, reason: UnknownReason) -> None:
    found = await outcome(answer)
    assert isinstance(found, Unknown)
    assert found.reason is reason


async def test_a_whole_answer_is_its_bytes() -> None:
    assert await outcome(httpx.Response(200, content=b"ok")) == b"ok"
