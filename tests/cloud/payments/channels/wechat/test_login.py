"""Who scans inside WeChat: sent there, back with a code, and never believed without an id."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from cloud.payments.channels.provider import Unknown
from cloud.payments.channels.wechat.login import WeChatLogin

BACK = "https://fees.example/pay/abc/wechat?fund=operating&entity=1"


async def told(answer: httpx.Response | Exception, code: str = "c1") -> str | Unknown:
    asked: list[httpx.Request] = []

    def serve(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with httpx.AsyncClient(transport=httpx.MockTransport(serve)) as http:
        found = await WeChatLogin(http, "https://open.test", "https://api.test").open_id("wx1", "secret", code)
    assert asked[0].url.path == "/sns/oauth2/access_token"
    assert asked[0].url.params["code"] == code
    return found


async def test_a_browser_is_sent_to_wechat_and_told_where_to_come_back() -> None:
    async with httpx.AsyncClient() as http:
        address = WeChatLogin(http, "https://open.test", "https://api.test").address("wx1", BACK)
    parts = urlsplit(address)
    assert (parts.netloc, parts.fragment) == ("open.test", "wechat_redirect")
    assert parse_qs(parts.query)["redirect_uri"] == [BACK]
    assert parse_qs(parts.query)["scope"] == ["snsapi_base"]


async def test_a_code_is_exchanged_for_the_payers_id() -> None:
    assert await told(httpx.Response(200, json={"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"})) == (
        "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
    )


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={"errcode": 40029, "errmsg": "invalid code"}),
        httpx.Response(200, json={"openid": "a b"}),
        httpx.Response(200, json=[]),
        httpx.Response(200, content=b"<html>"),
        httpx.ConnectError("x"),
    ],
)
async def test_what_is_no_id_is_unknown(answer: httpx.Response | Exception) -> None:
    assert isinstance(await told(answer), Unknown)
