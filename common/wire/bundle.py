"""Downlink bundles: what the cloud signs for one gateway, each kind with its own version that only grows.

A bundle is zstd over CBOR in a COSE_Sign1, like a batch the other way. `check_fresh` says whether it may replace the
one in force: not older, not expired, for this gateway. A certificate is a bundle too: it says who the gateway is and
which cloud keys to trust, and the newest one signed by a trusted key is how cloud keys are rotated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from common.clock import to_epoch_ms
from common.errors import ensure
from common.ids import GatewayId
from common.wire import cbor
from common.wire.batch import VERSION
from common.wire.codec import compress, expand
from common.wire.limits import BUNDLE_BYTES_MAX, BUNDLE_UNPACKED_MAX, CERTIFICATE_KEYS_MAX
from common.wire.refusal import Refusal, WireError
from common.wire.shapes import COUNT, INTEGER, UNIQUE_ID, Kind, choice, many, octets, optional, refuse, shape_of
from common.wire.signing import (
    PUBLIC_KEY_BYTES,
    Envelope,
    Purpose,
    SigningKey,
    key_id_of,
    open_envelope,
    sign,
    verify,
)

Body = Mapping[str, Any]  # integers, text, bytes, booleans, null, arrays and maps with text keys


class BundleKind(StrEnum):
    """What a bundle is about."""

    CERTIFICATE = "certificate"
    SITE = "site"
    TARIFFS = "tariffs"
    PERMITS = "permits"
    DUES = "dues"
    COMMAND = "command"
    ACCESS = "access"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """One bundle. `expires_ms` is the first instant at which it must not be applied any more."""

    format: int = VERSION
    gateway_id: GatewayId
    kind: BundleKind
    version: int
    made_ms: int
    expires_ms: int | None = None
    body: Body

    def __post_init__(self) -> None:
        """Check the version; versions count from 1."""
        ensure(self.version >= 1, "versions of a bundle count from 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Who the gateway is and whom it trusts: its own key, and the public keys of the cloud by key id."""

    gateway_id: GatewayId
    public_key: bytes
    not_after_ms: int | None
    cloud_keys: Mapping[bytes, bytes]


def _unpack_body(value: object, what: str) -> Body:
    if not isinstance(value, dict):
        refuse(what, "is no map")
    cbor.require_plain(value, what)
    return value


def _plain(value: Any) -> object:
    return value


_BUNDLE = shape_of(
    Bundle,
    format=COUNT,
    gateway_id=UNIQUE_ID,
    kind=choice(BundleKind),
    version=COUNT,
    made_ms=INTEGER,
    expires_ms=optional(INTEGER),
    body=Kind(_plain, _unpack_body),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _CertificateBody:
    gateway: GatewayId
    key: bytes
    not_after_ms: int | None
    cloud_keys: tuple[bytes, ...]


_PUBLIC_KEY = octets(PUBLIC_KEY_BYTES, PUBLIC_KEY_BYTES)
_CERTIFICATE = shape_of(
    _CertificateBody,
    gateway=UNIQUE_ID,
    key=_PUBLIC_KEY,
    not_after_ms=optional(INTEGER),
    cloud_keys=many(_PUBLIC_KEY, CERTIFICATE_KEYS_MAX),
)


def sign_bundle(bundle: Bundle, key: SigningKey) -> bytes:
    """Return the signed bytes of a bundle.

    Raises:
        WireError: the body holds something the wire does not carry, or is too large.
    """
    cbor.require_plain(dict(bundle.body), f"the {bundle.kind} bundle")
    raw = cbor.encode(_BUNDLE.pack(bundle))
    signed = sign(key, Purpose.BUNDLE, compress(raw))
    if len(raw) > BUNDLE_UNPACKED_MAX or len(signed) > BUNDLE_BYTES_MAX:
        raise WireError(
            Refusal.OVERSIZE, f"the {bundle.kind} bundle has {len(signed)} bytes packed and {len(raw)} unpacked"
        )
    return signed


def open_bundle(data: bytes, trusted: Mapping[bytes, bytes]) -> Bundle:
    """Return a bundle that one of the trusted cloud keys (public keys by key id) signed.

    Raises:
        WireError: it is no bundle, or nobody trusted signed it.
    """
    envelope = open_bundle_envelope(data)
    if envelope.key_id not in trusted:
        raise WireError(Refusal.UNKNOWN_KEY, f"the bundle is signed with unknown key {envelope.key_id.hex()}")
    return _unpack(verify(envelope, trusted[envelope.key_id]))


def open_bundle_envelope(data: bytes) -> Envelope:
    """Return the unverified envelope of a bundle.

    Raises:
        WireError: it is too large or no such envelope.
    """
    if len(data) > BUNDLE_BYTES_MAX:
        raise WireError(Refusal.OVERSIZE, f"a bundle has at most {BUNDLE_BYTES_MAX} bytes")
    return open_envelope(data, Purpose.BUNDLE)


def open_first_certificate(data: bytes, own_key: bytes) -> Certificate:
    """Return the certificate of an enrolment: signed by a cloud key it names itself, for the key that just enrolled.

    The first certificate is trusted because it came in answer to the one-time code; later ones must be signed by a
    key that an earlier one named.

    Raises:
        WireError: it is no certificate, names another gateway key, or does not name its own signer.
    """
    envelope = open_bundle_envelope(data)
    unverified = certificate_of(_unpack(envelope.payload))
    if envelope.key_id not in unverified.cloud_keys:
        raise WireError(Refusal.UNKNOWN_KEY, "the certificate does not name the cloud key that signed it")
    verify(envelope, unverified.cloud_keys[envelope.key_id])
    if unverified.public_key != own_key:
        raise WireError(Refusal.FOREIGN_GATEWAY, "the certificate is for another gateway's key")
    return unverified


def certificate_body(certificate: Certificate) -> Body:
    """Return the body of the bundle that carries a certificate."""
    body = _CertificateBody(
        gateway=certificate.gateway_id,
        key=certificate.public_key,
        not_after_ms=certificate.not_after_ms,
        cloud_keys=tuple(certificate.cloud_keys.values()),
    )
    return {"certificate": _CERTIFICATE.pack(body)}


def certificate_of(bundle: Bundle) -> Certificate:
    """Return the certificate in a bundle.

    Raises:
        WireError: the bundle is of another kind, broken, or names another gateway inside than outside.
    """
    if bundle.kind is not BundleKind.CERTIFICATE:
        raise WireError(Refusal.UNREADABLE, f"a {bundle.kind} bundle is no certificate")
    body = _CERTIFICATE.unpack(bundle.body.get("certificate"), "certificate")
    if body.gateway != bundle.gateway_id:
        raise WireError(Refusal.FOREIGN_GATEWAY, "the certificate and its bundle name two gateways")
    return Certificate(
        gateway_id=body.gateway,
        public_key=body.key,
        not_after_ms=body.not_after_ms,
        cloud_keys={key_id_of(key): key for key in body.cloud_keys},
    )


def check_fresh(bundle: Bundle, *, gateway_id: GatewayId, version_in_force: int, now: datetime | None) -> None:
    """Check that a bundle may replace the one in force; `now` is None where no clock can be trusted.

    Raises:
        WireError: it is for another gateway, not newer than the one in force, or past its time.
    """
    if bundle.gateway_id != gateway_id:
        raise WireError(Refusal.FOREIGN_GATEWAY, f"the {bundle.kind} bundle is for gateway {bundle.gateway_id}")
    if bundle.version <= version_in_force:
        raise WireError(
            Refusal.STALE_VERSION,
            f"{bundle.kind} version {bundle.version} is not newer than {version_in_force}, which is in force",
        )
    if bundle.expires_ms is not None and now is not None and to_epoch_ms(now) >= bundle.expires_ms:
        raise WireError(Refusal.EXPIRED, f"{bundle.kind} version {bundle.version} is past its time")


def _unpack(payload: bytes) -> Bundle:
    raw = expand(payload, BUNDLE_UNPACKED_MAX, "the bundle")
    bundle = _BUNDLE.unpack(cbor.decode(raw, "the bundle"), "bundle")
    if bundle.format != VERSION:
        raise WireError(Refusal.UNKNOWN_VERSION, f"format {bundle.format} of the bundle; this side reads {VERSION}")
    return bundle
