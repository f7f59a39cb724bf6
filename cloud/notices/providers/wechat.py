"""WeChat's template messages of a public account, with the stable access token.

`client_msg_id` makes WeChat drop a repeat within ten minutes; we never repeat anyway. What became of a message is
pushed to the account's own server and cannot be asked for, so a message that was taken on stays accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx

from cloud.kit.calls import Later, Refused, Unknown, call
from cloud.notices.providers.values import Accepted, AskOutcome, Letter, Question, SendOutcome, Template, template_of

_TOKEN_EXPIRED = frozenset({40001, 40014, 42001})
_LATER = frozenset({45009, 45047, 40125, 40013, 61004, 50002, *_TOKEN_EXPIRED})
_BUSY = -1
_MARGIN_S = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class WeChatAccount:
    """Who we are: application, its secret, and the templates chosen for it."""

    app_id: str
    secret: str = field(repr=False)
    templates: tuple[Template, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    text: str
    until_s: int


class WeChatMessages:
    """The client of one public account; it keeps its access token until shortly before its end."""

    tells = False

    def __init__(
        self, http: httpx.AsyncClient, url: str, account: WeChatAccount, machine_now_s: Callable[[], int]
    ) -> None:
        self._http = http
        self._url = url
        self._account = account
        self._machine_now_s = machine_now_s
        self._token: _Token | None = None

    async def send(self, letter: Letter) -> SendOutcome:
        """Send a template message once; a token that had run out is renewed, because nothing was sent with it."""
        template = template_of(self._account.templates, letter)
        if template is None:
            return Refused(reason=f"no template for {letter.kind}")
        body = {
            "touser": letter.to,
            "template_id": template.code,
            "client_msg_id": letter.letter_id.hex,
            "data": {name: {"value": text} for name, text in template.filled(letter.facts).items()},
        }
        outcome, expired = await self._post(body)
        if expired:
            self._token = None
            outcome, _ = await self._post(body)
        return outcome

    async def ask(self, question: Question) -> AskOutcome:
        """Return that WeChat does not say."""
        del question
        return Unknown(reason="WeChat does not tell what became of a message")

    async def _post(self, body: Mapping[str, object]) -> tuple[SendOutcome, bool]:
        """Return what came of it, and whether the access token had run out."""
        token = await self._access_token()
        if not isinstance(token, str):
            return token, False
        address = f"{self._url}/cgi-bin/message/template/send"
        request = self._http.build_request("POST", address, params={"access_token": token}, json=body)
        told = await call(self._http, request)
        if isinstance(told, Later | Unknown):
            return told, False
        code = told.get("errcode")
        if code == 0 and "msgid" in told:
            return Accepted(reference=str(told["msgid"])), False
        reason = f"{code} {told.get('errmsg', '')}".strip()[:200]
        if code in _LATER:
            return Later(reason=reason), code in _TOKEN_EXPIRED
        is_final = isinstance(code, int) and code not in {0, _BUSY}
        return (Refused(reason=reason) if is_final else Unknown(reason=reason)), False

    async def _access_token(self) -> str | Later:
        now_s = self._machine_now_s()
        if self._token is not None and now_s < self._token.until_s:
            return self._token.text
        body = {"grant_type": "client_credential", "appid": self._account.app_id, "secret": self._account.secret}
        told = await call(self._http, self._http.build_request("POST", f"{self._url}/cgi-bin/stable_token", json=body))
        if isinstance(told, Later | Unknown):
            return Later(reason=f"no access token: {told.reason}")
        text, lives_s = told.get("access_token"), told.get("expires_in")
        if not isinstance(text, str) or not isinstance(lives_s, int):
            return Later(reason=f"no access token: {told.get('errcode')}")
        self._token = _Token(text=text, until_s=now_s + max(0, lives_s - _MARGIN_S))
        return text
