"""The signatures of UnionPay 5.1.0, as functions of values.

Signed is the lower-case hex of the SHA-256 of all non-empty fields sorted by name and joined as `k=v&k=v`; only
`signature` takes no part (`signMethod` does). A message carries the certificate that signed it: it is believed only
when an authority that we were given issued it, its common name is UnionPay's, and it is valid now.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import Certificate, load_pem_x509_certificate
from cryptography.x509.oid import NameOID

from cloud.payments.channels.trust import KEY_BITS_MIN, Distrust, DistrustedError, is_signed, unreadable
from common.errors import RefusalError

SIGN_METHOD = "01"
# The third part of the certificate's common name, such as 041@...@中国银联股份有限公司@00012345.
_NAMES = frozenset({"中国银联股份有限公司", "00040000:SIGN"})
_NAME_PART = 2


@dataclass(frozen=True, slots=True)
class Authorities:
    """The certificate authorities of whom we believe that they name UnionPay."""

    certificates: tuple[Certificate, ...]

    @classmethod
    def read(cls, pems: Sequence[bytes]) -> Authorities:
        """Return the authorities in PEM.

        Raises:
            RefusalError: there is none, or one is no certificate.
        """
        try:
            found = tuple(load_pem_x509_certificate(pem) for pem in pems)
        except ValueError as error:
            raise RefusalError("an authority is not a PEM certificate; paste the .cer files as issued") from error
        if not found:
            raise RefusalError("no authority is configured; add UnionPay's root and middle certificates")
        return cls(found)

    def key_of(self, pem: str, now_s: int) -> RSAPublicKey:
        """Return the key of a certificate that came in a message.

        Raises:
            DistrustedError: it is no certificate, not UnionPay's, not valid now, or nobody we know issued it.
        """
        certificate = _certificate(pem)
        now = datetime.fromtimestamp(now_s, UTC)
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise DistrustedError(Distrust.STALE, "the certificate in the message is not valid now")
        if not any(_issued(certificate, authority) for authority in self.certificates):
            raise DistrustedError(Distrust.UNKNOWN_SERIAL, "nobody we know issued the certificate in the message")
        if not is_unionpay(certificate):
            raise DistrustedError(Distrust.UNKNOWN_SERIAL, "the certificate in the message is not UnionPay's")
        return _key(certificate)


def digest(fields: Mapping[str, str]) -> str:
    """Return what is signed: the lower-case hex over the sorted fields."""
    pairs = sorted((name, value) for name, value in fields.items() if value and name != "signature")
    return hashlib.sha256("&".join(f"{name}={value}" for name, value in pairs).encode()).hexdigest()


def verify(fields: Mapping[str, str], authorities: Authorities, now_s: int) -> None:
    """Check that UnionPay signed the fields.

    Raises:
        DistrustedError: with the first reason that applies.
    """
    if not fields.get("signature") or not fields.get("signPubKeyCert"):
        raise DistrustedError(Distrust.HEADER_MISSING, "the message carries no signature or no certificate")
    if fields.get("signMethod") != SIGN_METHOD or fields.get("version") != "5.1.0":
        raise DistrustedError(Distrust.BAD_SIGNATURE, "the message is not signed as version 5.1.0 signs")
    verify_with(fields, authorities.key_of(fields["signPubKeyCert"], now_s))


def verify_with(fields: Mapping[str, str], key: RSAPublicKey) -> None:
    """Check that a key signed the fields.

    Raises:
        DistrustedError: it did not.
    """
    if not is_signed(key, digest(fields).encode(), fields["signature"]):
        raise DistrustedError(Distrust.BAD_SIGNATURE, "the signature is not the channel's over these fields")


def certificate_key(pem: str) -> RSAPublicKey:
    """Return the key of a certificate, whoever issued it."""
    return _key(_certificate(pem))


def is_unionpay(certificate: Certificate) -> bool:
    """Return whether a certificate's common name is one of UnionPay's."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    parts = str(names[0].value).split("@") if len(names) == 1 else []
    return len(parts) > _NAME_PART and parts[_NAME_PART] in _NAMES


def read_form(body: bytes) -> dict[str, str]:
    """Return the fields of a notification, decoded exactly once.

    Raises:
        DistrustedError: it is not a form in UTF-8, or names a field twice.
    """
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict")
    except (UnicodeDecodeError, ValueError) as error:
        raise unreadable("the body is not a form in UTF-8") from error
    return _distinct(pairs)


def read_answer(body: bytes) -> dict[str, str]:
    """Return the fields of an answer: `k=v` joined by `&` without escapes, where braces keep their content whole.

    Raises:
        DistrustedError: it is not such a text, or names a field twice.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise unreadable("the answer is not UTF-8") from error
    pairs, start, depth = [], 0, 0
    for place, symbol in enumerate(f"{text}&"):
        depth += (symbol == "{") - (symbol == "}")
        if symbol == "&" and depth <= 0:
            name, equals, value = text[start:place].partition("=")
            if not name or not equals:
                raise unreadable("the answer is not a list of fields")
            pairs.append((name, value))
            start = place + 1
    if start <= len(text):
        raise unreadable("a brace of the answer is never closed")
    return _distinct(pairs)


def _distinct(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise unreadable("the message names a field twice")
    return fields


def _certificate(pem: str) -> Certificate:
    try:
        return load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise unreadable("the message carries no certificate that can be read") from error


def _key(certificate: Certificate) -> RSAPublicKey:
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey) or key.key_size < KEY_BITS_MIN:
        raise unreadable(f"the certificate's key is not RSA of {KEY_BITS_MIN} bits or more")
    return key


def _issued(certificate: Certificate, authority: Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
