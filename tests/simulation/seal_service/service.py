"""A seal service that keeps keys and signs digests, and can misbehave on command.

Its check of our requests is written apart from the product's: by concatenation and `hmac.new`. It signs prehashed
digests, so it never sees a document; every digest that it signed is in its log.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "property-77", "the secret that both sides share"
SKEW_S_MAX = 300
LATE_S = 5.0
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class Trouble(Enum):
    """What the service can do wrong."""

    LATE = auto()
    NOT_READY = auto()
    DOWN = auto()
    SIGNED_THEN_LOST = auto()
    WRONG_CERTIFICATE = auto()
    WRONG_SIGNATURE = auto()
    OTHER_REQUEST = auto()
    NO_JSON = auto()
    NO_QUOTA = auto()
    REVOKED = auto()
    REDIRECT = auto()


_STATUS = {"unknown_client": 401, "bad_signature": 401, "stale": 401, "unknown_key": 404, "revoked": 403, "quota": 402}
_REFUSED = {Trouble.NO_QUOTA: "quota", Trouble.REVOKED: "revoked"}


@dataclass(slots=True)
class SealHouse:
    """The service: keys by label with their certificates, wishes to misbehave, and what it did."""

    now_s: Callable[[], int]
    keys: dict[str, tuple[Key, bytes]] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)
    stranger: bytes = b""
    bodies: list[bytes] = field(default_factory=list)
    signed: dict[str, bytes] = field(default_factory=dict)
    signings: int = 0
    _nonces: set[str] = field(default_factory=set)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/v1/signatures", self._serve, methods=["POST"])])

    async def _serve(self, request: Request) -> Response:
        body = await request.body()
        self.bodies.append(body)
        trouble = self.troubles.pop(0) if self.troubles else None
        distrust = self._distrust(request, body) or _REFUSED.get(trouble or Trouble.LATE, "")
        if distrust:
            return _no(distrust)
        match trouble:
            case Trouble.LATE:
                await asyncio.sleep(LATE_S)
            case Trouble.NOT_READY:
                return Response(status_code=202)
            case Trouble.DOWN:
                return Response(status_code=503)
            case Trouble.NO_JSON:
                return Response(b"<html>gateway</html>")
            case Trouble.REDIRECT:
                return RedirectResponse("/elsewhere", status_code=307)
            case _:
                pass
        return self._answer(json.loads(body), trouble)

    def _answer(self, asked: dict[str, str], trouble: Trouble | None) -> Response:
        if asked["key"] not in self.keys:
            return _no("unknown_key")
        key, certificate = self.keys[asked["key"]]
        request_id, digest = asked["request_id"], bytes.fromhex(asked["digest"])
        if request_id not in self.signed:
            self.signed[request_id] = _sign(key, digest)
            self.signings += 1
        signature = self.signed[request_id]
        if trouble is Trouble.SIGNED_THEN_LOST:
            return Response(status_code=502)
        if trouble is Trouble.WRONG_SIGNATURE:
            signature = _sign(key, bytes(32))
        told = {
            "request_id": "another" if trouble is Trouble.OTHER_REQUEST else request_id,
            "certificate": _text(self.stranger if trouble is Trouble.WRONG_CERTIFICATE else certificate),
            "signature": _text(signature),
        }
        return JSONResponse(told)

    def _distrust(self, request: Request, body: bytes) -> str:
        head = request.headers
        if head.get("seal-client") != CLIENT:
            return "unknown_client"
        at, nonce = head["seal-time"], head["seal-nonce"]
        said = "POST\n" + request.url.path + "\n" + at + "\n" + nonce + "\n" + hashlib.sha256(body).hexdigest() + "\n"
        wanted = hmac.new(SECRET.encode(), said.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(wanted, head["seal-signature"]) or nonce in self._nonces:
            return "bad_signature"
        self._nonces.add(nonce)
        return "stale" if abs(int(at) - self.now_s()) > SKEW_S_MAX else ""


def _sign(key: Key, digest: bytes) -> bytes:
    prehashed = utils.Prehashed(hashes.SHA256())
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(digest, padding.PKCS1v15(), prehashed)
    return key.sign(digest, ec.ECDSA(prehashed))


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _no(code: str) -> Response:
    return JSONResponse({"code": code, "message": "refused"}, _STATUS[code])
