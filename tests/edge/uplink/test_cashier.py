"""What is open on a bill and what became of a shown code, asked of a real cloud address; no answer is no answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from common.wire.charge import ChargeAnswer, ChargeRequest, ChargeState, Silence, read_charge, sign_charge_answer
from common.wire.requests import open_request
from common.wire.signing import Purpose, verify
from edge.uplink.cashier import CHARGES_PATH, CloudCashier, open_fen_at, token_of
from edge.uplink.identity import Identity
from tests.common.wire.builders import CLOUD_KEY, GATEWAY, OTHER_KEY
from tests.edge.uplink.test_identity import certificate, load
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


WISH = UUID(int=7)
CODE = "134650000000000001"
PAID = ChargeAnswer(wish=WISH, state=ChargeState.PAID, amount_fen=1200, receipt="RC1", channel="wechat")


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    made = load(tmp_path)
    made.enrol(certificate(made.key))
    return made


def desk(identity: Identity, answer: Response, heard: list[ChargeRequest]) -> Starlette:
    async def charges(request: Request) -> Response:
        envelope = open_request(await request.body(), Purpose.CHARGE)
        heard.append(read_charge(verify(envelope, identity.key.public_key)))
        return answer

    return Starlette(routes=[Route(CHARGES_PATH, charges, methods=["POST"])])


async def test_a_shown_code_goes_out_signed_once_and_the_signed_answer_comes_back(identity: Identity) -> None:
    heard: list[ChargeRequest] = []
    answer = Response(sign_charge_answer(PAID, CLOUD_KEY))
    async with serving(desk(identity, answer, heard)) as address:
        assert await CloudCashier(address, identity).charge(WISH, TOKEN, 1200, CODE) == PAID
        assert await CloudCashier(address, identity).charge(WISH, TOKEN) == PAID
    assert heard == [
        ChargeRequest(gateway_id=GATEWAY, wish=WISH, token=TOKEN, amount_fen=1200, auth_code=CODE),
        ChargeRequest(gateway_id=GATEWAY, wish=WISH, token=TOKEN),
    ]


@pytest.mark.parametrize(
    "answer",
    [
        Response(sign_charge_answer(PAID, OTHER_KEY)),
        Response(sign_charge_answer(replace(PAID, wish=UUID(int=8)), CLOUD_KEY)),
        Response(b"junk"),
        PlainTextResponse("no", status_code=403),
        PlainTextResponse("later", status_code=503),
    ],
)
async def test_an_answer_that_the_cloud_did_not_sign_leaves_the_end_unknown(
    identity: Identity, answer: Response
) -> None:
    async with serving(desk(identity, answer, [])) as address:
        assert await CloudCashier(address, identity).charge(WISH, TOKEN, 1200, CODE) is Silence.UNKNOWN


async def test_only_what_never_left_the_box_is_called_away(identity: Identity, tmp_path: Path) -> None:
    assert await CloudCashier("http://127.0.0.1:9", identity).charge(WISH, TOKEN, 1200, CODE) is Silence.AWAY
    assert await CloudCashier(None, identity).charge(WISH, TOKEN) is Silence.AWAY
    stranger = load(tmp_path / "new")
    assert await CloudCashier("http://127.0.0.1:9", stranger).charge(WISH, TOKEN) is Silence.AWAY
    assert await CloudCashier("http://127.0.0.1:9", identity).open_fen(ADDRESS) is None
