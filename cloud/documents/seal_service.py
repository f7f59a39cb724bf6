"""Seal keys at a service: the digest goes there, a raw signature comes back; the document never leaves the house.

    POST <url>/v1/signatures   {"request_id", "key", "digest_algorithm": "sha256", "digest"}
    200  {"request_id", "certificate", "signature"}    in base64; 202 when it is not ready, 4xx {"code", "message"}

A request is signed by HMAC-SHA256, with the secret both sides share, over method, path, time, nonce and the SHA-256 of
the body, each ended by LF. Its id follows from key and digest, so that asking again is asking once. The ring of pinned
certificates is the company's seal keys: an answer with another certificate, or a signature that the pinned one does not
confirm, is never put on a file. Authorities speak protocols of their own; this is the plain one that a gateway before
them speaks. It must not follow redirects, log an answer, or read a clock but the machine clock that it is given.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import httpx
from asn1crypto import x509 as asn1_x509
from pyhanko.sign.signers import Signer as KeyHolder
from pyhanko_certvalidator.registry import SimpleCertificateStore
from typing_extensions import override

from cloud.documents.errors import ForeignKeyError, SealServiceError
from cloud.documents.signer import KeySigner, confirms
from cloud.kit.errors import BusyError

PATH = "/v1/signatures"
ANSWER_BYTES_MAX = 32 * 1024
_DIGEST = "sha256"
_SIGNATURE_BYTES = 512
_ANY_LATER = frozenset({HTTPStatus.ACCEPTED, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT})
_REFUSALS = {
    "unknown_key": "has no key of this label; take the label that the service shows",
    "unknown_client": "does not know us; set seal_service_client as the service wrote it",
    "bad_signature": "does not accept our signature; set the secret that the service gave us",
    "stale": "finds our time wrong; set this machine's clock by NTP",
    "revoked": "has revoked this key; exchange the seal key",
    "quota": "has no signatures left for us; buy more there, then the papers are sealed by themselves",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAddress:
    """Where a seal service answers, and who we are there."""

    url: str
    client: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePace:
    """How long one try may take, how often it is tried, and how long the pause between is, in seconds."""

    try_s: float = 8.0
    tries: int = 3
    pause_s: float = 0.5


class SealService:
    """A service that keeps seal keys; a `KeyKeeper`."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        address: ServiceAddress,
        machine_now_s: Callable[[], int],
        new_nonce: Callable[[], str],
        pace: ServicePace | None = None,
    ) -> None:
        self._http = http
        self._address = address
        self._machine_now_s = machine_now_s
        self._new_nonce = new_nonce
        self._pace = pace or ServicePace()

    async def seal(self, certificate: bytes, key_label: str, pdf: bytes, mark: bytes, when: datetime) -> bytes:
        """Return the file with a seal that the key of a label at the service made.

        Raises:
            ForeignKeyError: what came back is not by the key of the certificate.
            SealServiceError: the service refuses.
            BusyError: it did not answer; nothing was sealed.
        """

        async def sign(content: bytes) -> bytes:
            return await self._signature(certificate, key_label, content)

        return await KeySigner(certificate, _ServiceHolder(certificate, sign)).seal(pdf, mark, when)

    async def confirm(self, certificate: bytes, key_label: str, challenge: bytes) -> None:
        """Go on when the key of a label at the service is the key of a certificate.

        Raises:
            ForeignKeyError: it is the key of another certificate.
            SealServiceError: the service refuses.
            BusyError: it did not answer.
        """
        await self._signature(certificate, key_label, challenge)

    def close(self) -> None:
        """Do nothing: the connections are the house's."""

    async def _signature(self, certificate: bytes, key_label: str, content: bytes) -> bytes:
        """Return a signature over some bytes that the pinned certificate confirms."""
        digest = sha256(content).hexdigest()
        request_id = sha256(f"{key_label}\n{digest}".encode()).hexdigest()
        asked = {"request_id": request_id, "key": key_label, "digest_algorithm": _DIGEST, "digest": digest}
        told = await self._asked(json.dumps(asked, ensure_ascii=False).encode())
        try:
            answered = told["request_id"]
            found = base64.b64decode(told["certificate"], validate=True)
            signature = base64.b64decode(told["signature"], validate=True)
        except (KeyError, TypeError, binascii.Error) as error:
            raise SealServiceError("the seal service answers no signature; tell its operator") from error
        if answered != request_id:
            raise SealServiceError("the seal service answers another request; tell its operator")
        if found != certificate or not confirms(certificate, signature, content):
            raise ForeignKeyError
        return signature

    async def _asked(self, body: bytes) -> dict[str, Any]:
        """Ask until there is an answer, with the same request id, so that the service signs once."""
        for n in range(self._pace.tries):
            if n:
                await asyncio.sleep(self._pace.pause_s * n)
            answer = await self._try(body)
            if answer is not None:
                return answer
        raise BusyError(f"the seal service {self._host} did not answer; nothing was sealed, it is tried again later")

    async def _try(self, body: bytes) -> dict[str, Any] | None:
        """Return the answer of one try, None when there is none yet."""
        try:
            async with asyncio.timeout(self._pace.try_s):
                answer = await self._http.post(
                    self._address.url + PATH, content=body, headers=self._headers(body), follow_redirects=False
                )
        except (TimeoutError, httpx.TransportError):
            return None
        if answer.status_code in _ANY_LATER or answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return None
        told = _told(answer.content)
        if answer.status_code != HTTPStatus.OK:
            raise SealServiceError(self._refusal(answer.status_code, told))
        return told

    def _headers(self, body: bytes) -> dict[str, str]:
        at, nonce = str(self._machine_now_s()), self._new_nonce()
        path = urlsplit(self._address.url).path + PATH
        said = "".join(f"{part}\n" for part in ("POST", path, at, nonce, sha256(body).hexdigest()))
        return {
            "Content-Type": "application/json",
            "Seal-Client": self._address.client,
            "Seal-Time": at,
            "Seal-Nonce": nonce,
            "Seal-Signature": hmac.digest(self._address.secret.encode(), said.encode(), _DIGEST).hex(),
        }

    def _refusal(self, status: int, told: dict[str, Any]) -> str:
        code = str(told.get("code", ""))
        known = _REFUSALS.get(code, f"refuses ({status} {code[:40]}); ask its operator why")
        return f"the seal service {self._host} {known}"

    @property
    def _host(self) -> str:
        return urlsplit(self._address.url).netloc


class _ServiceHolder(KeyHolder):
    """A key that signs through a function: pyHanko's way to a key that is not here."""

    def __init__(self, certificate: bytes, sign: Callable[[bytes], Awaitable[bytes]]) -> None:
        self._sign = sign
        super().__init__(
            signing_cert=asn1_x509.Certificate.load(certificate),
            cert_registry=SimpleCertificateStore(),  # type: ignore[no-untyped-call]
        )

    @override
    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        if dry_run:
            return bytes(_SIGNATURE_BYTES)
        if digest_algorithm != _DIGEST:
            raise SealServiceError(f"seals are made with {_DIGEST}, not {digest_algorithm}")
        return await self._sign(data)


def _told(content: bytes) -> dict[str, Any]:
    """Return an answer that says something, empty when it does not."""
    if len(content) > ANSWER_BYTES_MAX:
        return {}
    try:
        told = json.loads(content)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
