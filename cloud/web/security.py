"""What protects a browser that has our pages open: headers of every answer, and tokens in every form.

A form's token follows from a secret that only the browser's own HttpOnly cookie carries: the session's, or for a
stranger a cookie made for that. Another site can make a browser send a form, but can neither read nor guess the token.
Nothing is stored on the server.
"""

from __future__ import annotations

import hmac
import secrets
from urllib.parse import urlsplit

from fastapi import Request, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud.identity.callers import token_of
from cloud.kit.errors import ForbiddenError

FORM_COOKIE = "gatehouse_form"
CSRF_FIELD = "csrf"
CSRF_HEADER = "x-csrf-token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_PURPOSE = b"gatehouse form"
_SECRET_BYTES = 32
_SECRET_TEXT = 43  # of so many bytes in url-safe base64

_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",  # the style sheet draws its own small marks
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)
CONTENT_POLICY = "; ".join(_POLICY)
_HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(self), geolocation=(), microphone=()",
}
_FORM_RULE = "form-action 'self'"
_NOT_KEPT = "no-store"  # a page shows personal data; only static files are kept by a browser


class SecureHeaders:
    """Middleware: give every answer of the pages the headers that narrow what a browser does with it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add the headers to its answer."""

        async def adding(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", _NOT_KEPT)
            await send(message)

        await self._app(scope, receive, adding)


def policy_with_form_to(address: str) -> str:
    """Return the content policy of a page whose form goes to one other address: a channel's payment page."""
    parts = urlsplit(address)
    return CONTENT_POLICY.replace(_FORM_RULE, f"{_FORM_RULE} {parts.scheme}://{parts.netloc}")


def new_form_secret() -> str:
    """Return a secret for the form cookie of a stranger."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def form_secret(request: Request) -> str | None:
    """Return the secret that the browser's cookies carry, or None when they carry none."""
    token = token_of(request)
    if token is not None:
        return token.secret
    own = request.cookies.get(FORM_COOKIE, "")
    return own if len(own) == _SECRET_TEXT else None


def form_token(secret: str) -> str:
    """Return the token that forms carry beside a secret."""
    return hmac.new(secret.encode(), _PURPOSE, "sha256").hexdigest()


def keep_form_secret(response: Response, secret: str, *, secure: bool) -> None:
    """Put a stranger's secret into his browser."""
    response.set_cookie(FORM_COOKIE, secret, httponly=True, secure=secure, samesite="strict")


async def require_own_form(request: Request) -> None:
    """Go on only when a request that changes something comes from a form of ours: a FastAPI dependency.

    A program that signs in by bearer token has no cookies that another site could use, and needs no token.

    Raises:
        ForbiddenError: the token is missing or not that of this browser.
    """
    if request.method in SAFE_METHODS or _by_bearer(request.headers):
        return
    secret = form_secret(request)
    sent = request.headers.get(CSRF_HEADER)
    if sent is None:
        field = (await request.form()).get(CSRF_FIELD)
        sent = field if isinstance(field, str) else ""
    if secret is None or not hmac.compare_digest(sent.encode(), form_token(secret).encode()):
        raise ForbiddenError("this form is not one of yours or has grown old; open the page again and repeat it")


def _by_bearer(headers: Headers) -> bool:
    return headers.get("authorization", "").lower().startswith("bearer ")
