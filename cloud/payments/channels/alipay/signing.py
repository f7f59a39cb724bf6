"""The signatures of Alipay's gateway (RSA2: RSA-SHA256, PKCS#1 v1.5, Base64), as functions of values.

What is signed: of a request, its non-empty parameters sorted by name and joined as `k=v&k=v`, `sign` left out; of a
notification or a return, the same after exactly one decoding of the form, `sign_type` left out as well; of an answer,
the raw characters of the answer's node as they came, found by a JSON tokenizer and never by counting braces.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import load_der_x509_certificate

from cloud.payments.channels.trust import Distrust, DistrustedError, is_signed, unreadable

SIGN_TYPE = "RSA2"
_SPACE = re.compile(r"[ \t\r\n]*")
_ERROR_NODE = "error_response"
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)
# An RSA signature's object identifier, 1.2.840.113549.1.1: found before parsing, because one root of another kind has
# an encoding that strict parsers refuse.
_RSA_SIGNED = bytes.fromhex("2a864886f70d0101")


@dataclass(frozen=True, slots=True)
class Answer:
    """The raw text of an answer's node, and the signature over it."""

    node: str
    content: str
    signature: str


def request_text(parameters: Mapping[str, str]) -> str:
    """Return what a merchant signs of a request."""
    return _joined(parameters, frozenset({"sign"}))


def notify_text(parameters: Mapping[str, str]) -> str:
    """Return what Alipay signs of a notification or a return."""
    return _joined(parameters, frozenset({"sign", "sign_type"}))


def read_form(body: bytes | str) -> dict[str, str]:
    """Return the fields of a form, decoded exactly once.

    Raises:
        DistrustedError: it is not a form in UTF-8, or names a field twice.
    """
    try:
        text = body if isinstance(body, str) else body.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True, errors="strict")
    except (UnicodeDecodeError, ValueError) as error:
        raise unreadable("the body is not a form in UTF-8") from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise unreadable("the form names a field twice")
    return fields


def verify_form(fields: Mapping[str, str], keys: Sequence[RSAPublicKey]) -> None:
    """Check that Alipay signed the decoded fields of a notification or a return.

    Raises:
        DistrustedError: the signature is missing, of another kind, or not Alipay's over these fields.
    """
    if not fields.get("sign"):
        raise DistrustedError(Distrust.HEADER_MISSING, "the form carries no signature")
    if fields.get("sign_type") != SIGN_TYPE:
        raise DistrustedError(Distrust.BAD_SIGNATURE, f"the form is not signed by {SIGN_TYPE}")
    message = notify_text(fields).encode()
    if not any(is_signed(key, message, fields["sign"]) for key in keys):
        raise DistrustedError(Distrust.BAD_SIGNATURE, "the signature is not the channel's over this form")


def extract(raw: str, node: str) -> Answer:
    """Return the node of an answer as it was written, or its error node, with the signature beside it.

    Raises:
        DistrustedError: the text is not such an answer.
    """
    found: dict[str, str] = {}
    for name, start, end in _members(raw):
        if name in found:
            raise unreadable(f"the answer has {name} twice")
        found[name] = raw[start:end]
    for name in (node, _ERROR_NODE):
        if name in found:
            signature = json.loads(found.get("sign", '""'))
            return Answer(name, found[name], signature if isinstance(signature, str) else "")
    raise unreadable(f"the answer has no {node}")


def verify_answer(answer: Answer, keys: Sequence[RSAPublicKey]) -> None:
    """Check that Alipay signed the node of an answer.

    Raises:
        DistrustedError: it is not Alipay's.
    """
    message = answer.content.encode()
    if not any(is_signed(key, message, answer.signature) for key in keys):
        raise DistrustedError(Distrust.BAD_SIGNATURE, "the signature is not the channel's over this answer")


def certificate_number(der: bytes) -> str:
    """Return the serial by which Alipay names a certificate: MD5 of issuer (RFC 2253 order) and decimal serial."""
    certificate = load_der_x509_certificate(der)
    return _digest(certificate.issuer.rfc4514_string(), certificate.serial_number)


def root_number(bundle: bytes) -> str:
    """Return the serial of a root bundle in PEM: those of its RSA roots, joined in order; others take no part."""
    roots = [b64decode(b"".join(body.split())) for body in _PEM.findall(bundle)]
    return "_".join(certificate_number(der) for der in roots if _RSA_SIGNED in der)


def _digest(issuer: str, serial: int) -> str:
    return hashlib.md5(f"{issuer}{serial}".encode(), usedforsecurity=False).hexdigest()


def _joined(parameters: Mapping[str, str], left_out: frozenset[str]) -> str:
    pairs = sorted((name, value) for name, value in parameters.items() if value and name not in left_out)
    return "&".join(f"{name}={value}" for name, value in pairs)


def _members(raw: str) -> list[tuple[str, int, int]]:
    """Return name, start and end of the value of each member of the JSON object that the whole text is."""
    decoder = json.JSONDecoder()
    members = []
    try:
        place = _after(raw, _skip(raw, 0), "{")
        while True:
            name, place = decoder.raw_decode(raw, _skip(raw, place))
            start = _skip(raw, _after(raw, _skip(raw, place), ":"))
            _, end = decoder.raw_decode(raw, start)
            members.append((str(name), start, end))
            place = _skip(raw, end)
            if raw[place : place + 1] != ",":
                break
            place += 1
        _after(raw, place, "}")
    except (ValueError, RecursionError) as error:
        raise unreadable("the answer is not one JSON object") from error
    return members


def _skip(raw: str, place: int) -> int:
    found = _SPACE.match(raw, place)
    return place if found is None else found.end()


def _after(raw: str, place: int, symbol: str) -> int:
    if raw[place : place + 1] != symbol:
        raise ValueError(symbol)
    return place + 1
