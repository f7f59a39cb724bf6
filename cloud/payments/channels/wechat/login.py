"""Who scans inside WeChat: his id for our application, which payments inside WeChat need, by the silent OAuth.

His browser is sent to WeChat, comes back with a code that lives five minutes and works once, and the code is exchanged
here. Nothing but the id is asked for, and it is kept nowhere.
"""

from __future__ import annotations

import json
import re
from urllib.parse import quote

import httpx

from cloud.payments.channels import calls
from cloud.payments.channels.provider import Unknown, UnknownReason

_OPEN_ID = re.compile(r"[A-Za-z0-9_-]{6,128}", re.ASCII)


class WeChatLogin:
    """The exchange of codes, for all applications."""

    def __init__(self, http: httpx.AsyncClient, open_url: str, api_url: str) -> None:
        self._http = http
        self._open_url = open_url
        self._api_url = api_url

    def address(self, app_id: str, back: str) -> str:
        """Return where a browser inside WeChat is sent; it comes back to `back` with a code."""
        fields = f"appid={quote(app_id)}&redirect_uri={quote(back, safe='')}&response_type=code&scope=snsapi_base"
        return f"{self._open_url}/connect/oauth2/authorize?{fields}&state=pay#wechat_redirect"

    async def open_id(self, app_id: str, app_secret: str, code: str) -> str | Unknown:
        """Return the payer's id for a code."""
        fields = {"appid": app_id, "secret": app_secret, "code": code, "grant_type": "authorization_code"}
        request = self._http.build_request("GET", f"{self._api_url}/sns/oauth2/access_token", params=fields)
        answer = await calls.send(self._http, request)
        if isinstance(answer, Unknown):
            return answer
        try:
            told = json.loads(answer.content[: calls.ANSWER_SIZE_MAX])
        except ValueError:
            return Unknown(reason=UnknownReason.UNREADABLE, detail="the answer is not JSON")
        open_id = told.get("openid") if isinstance(told, dict) else None
        if not isinstance(open_id, str) or _OPEN_ID.fullmatch(open_id) is None:
            return Unknown(reason=UnknownReason.UNREADABLE, detail="the code was refused or used before")
        return open_id
