"""WeChat's server for template messages: stable tokens that run out, readers it does not know, repeats it drops."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

APP_ID, SECRET = "wxd678efh567hg6787", "0123456789abcdef0123456789abcdef"
TEMPLATE = "ngqIpbwh8bUfcSsECmogfXcV14J0tQlEpBO27izEYtY"
UNFOLLOWED = "oUnfollowedReader000"
TOKEN_S = 7200


@dataclass(slots=True)
class WeChatSimulator:
    """The server for one application; `trouble` is what happens to the next message."""

    messages: list[dict[str, object]] = field(default_factory=list)
    tokens: int = 0
    valid: str = ""
    trouble: str = ""

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/cgi-bin/stable_token", self._token, methods=["POST"]),
                Route("/cgi-bin/message/template/send", self._send, methods=["POST"]),
            ]
        )

    async def _token(self, request: Request) -> Response:
        asked = json.loads(await request.body())
        if (asked["appid"], asked["secret"], asked["grant_type"]) != (APP_ID, SECRET, "client_credential"):
            return JSONResponse({"errcode": 40125, "errmsg": "invalid appsecret"})
        self.tokens += 1
        self.valid = f"token-{self.tokens}"
        return JSONResponse({"access_token": self.valid, "expires_in": TOKEN_S})

    async def _send(self, request: Request) -> Response:
        trouble, self.trouble = self.trouble, ""
        if request.query_params.get("access_token") != self.valid:
            return JSONResponse({"errcode": 42001, "errmsg": "access_token expired"})
        if trouble == "slow_down":
            return JSONResponse({"errcode": 45009, "errmsg": "reach max api daily quota limit"})
        message = json.loads(await request.body())
        if message["touser"] == UNFOLLOWED:
            return JSONResponse({"errcode": 43004, "errmsg": "require subscribe"})
        if message["template_id"] != TEMPLATE:
            return JSONResponse({"errcode": 40037, "errmsg": "invalid template_id"})
        known = [one["client_msg_id"] for one in self.messages]
        if message["client_msg_id"] not in known:
            self.messages.append(message)
        if trouble == "answer_lost":
            return Response(status_code=502)
        return JSONResponse({"errcode": 0, "errmsg": "ok", "msgid": 200228332 + len(self.messages)})
