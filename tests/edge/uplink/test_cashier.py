"""What is open on a bill, asked of a real cloud address; anything that is no answer is no answer."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from edge.uplink.cashier import open_fen_at, token_of
from tests.support.browser import serving

TOKEN = "Ab3dEf6hIj9kLm2nOp5qRs8t"  # noqa: S105 - of a bill made up for this test
ADDRESS = f"https://pay.example/pay/{TOKEN}"


def cloud(answer: Response) -> Starlette:
    async def dues(request: Request) -> Response:
        assert request.path_params["token"] == TOKEN
        return answer

    return Starlette(routes=[Route("/pay/{token}/dues", dues)])


@pytest.mark.parametrize(
    ("answer", "open_fen"),
    [
        (JSONResponse({"open_fen": 1200}), 1200),
        (JSONResponse({"open_fen": 0}), 0),
        (JSONResponse({"open_fen": "free"}), None),
        (JSONResponse([1]), None),
        (PlainTextResponse("no json"), None),
        (JSONResponse({"open_fen": 0}, status_code=404), None),
        (PlainTextResponse("x" * 300_000), None),
    ],
)
async def test_only_a_good_answer_says_what_is_open(answer: Response, open_fen: int | None) -> None:
    async with serving(cloud(answer)) as address:
        assert await open_fen_at(address, ADDRESS) == open_fen


async def test_a_cloud_that_is_away_or_not_set_is_not_known() -> None:
    assert await open_fen_at("http://127.0.0.1:9", ADDRESS) is None
    assert await open_fen_at(None, ADDRESS) is None
    assert await open_fen_at("http://127.0.0.1:9", "nonsense") is None


@pytest.mark.parametrize(
    ("text", "token"),
    [(ADDRESS, TOKEN), (TOKEN, TOKEN), (f"{ADDRESS}/", TOKEN), ("https://x/pay/../admin", None), ("", None)],
)
def test_a_token_is_taken_from_an_address_only(text: str, token: str | None) -> None:
    assert token_of(text) == token
