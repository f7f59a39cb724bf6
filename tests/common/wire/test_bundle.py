"""Bundles come back as they were signed; a stale, expired, foreign or forged one is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given

from common.errors import InvariantError
from common.ids import GatewayId
from common.wire.bundle import (
    Body,
    Bundle,
    BundleKind,
    Certificate,
    certificate_body,
    certificate_of,
    check_fresh,
    open_bundle,
    open_first_certificate,
    sign_bundle,
)
from common.wire.cbor import encode
from common.wire.codec import compress
from common.wire.limits import BUNDLE_BYTES_MAX, BUNDLE_UNPACKED_MAX
from common.wire.refusal import Refusal, WireError
from common.wire.signing import Purpose, sign
from tests.common.wire.builders import CLOUD_KEY, GATEWAY, GATEWAY_KEY, NOW, NOW_MS, OTHER_KEY, TRUSTED, calm
from tests.common.wire.test_cbor import plain

ELSEWHERE = GatewayId(UUID(int=5))


def bundle(body: Body | None = None, **changes: Any) -> Bundle:
    fields: dict[str, Any] = {
        "gateway_id": GATEWAY,
        "kind": BundleKind.SITE,
        "version": 3,
        "made_ms": NOW_MS,
        "body": {"zone": "Asia/Shanghai"} if body is None else body,
    }
    return Bundle(**{**fields, **changes})


def certificate(**changes: Any) -> Certificate:
    fields: dict[str, Any] = {
        "gateway_id": GATEWAY,
        "public_key": GATEWAY_KEY.public_key,
        "not_after_ms": None,
        "cloud_keys": TRUSTED,
    }
    return Certificate(**{**fields, **changes})


def certificate_bundle(made: Certificate) -> Bundle:
    return bundle(certificate_body(made), kind=BundleKind.CERTIFICATE)


@calm
@given(plain)
def test_a_bundle_comes_back_as_it_was_signed(value: Any) -> None:
    made = bundle({"of": value}, expires_ms=NOW_MS + 1)
    assert open_bundle(sign_bundle(made, CLOUD_KEY), TRUSTED) == made


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (sign_bundle(bundle(), OTHER_KEY), Refusal.UNKNOWN_KEY),
        (sign_bundle(bundle(), CLOUD_KEY)[:-1] + b"\x00", Refusal.BAD_SIGNATURE),
        (sign(CLOUD_KEY, Purpose.RECEIPT, b""), Refusal.MALFORMED),
        (sign(CLOUD_KEY, Purpose.BUNDLE, compress(b"\x80")), Refusal.UNREADABLE),
        (sign(CLOUD_KEY, Purpose.BUNDLE, compress(bytes(BUNDLE_UNPACKED_MAX + 1))), Refusal.BOMB),
        (bytes(BUNDLE_BYTES_MAX + 1), Refusal.OVERSIZE),
        (sign_bundle(bundle(format=2), CLOUD_KEY), Refusal.UNKNOWN_VERSION),
    ],
    ids=["a stranger's", "altered", "for another purpose", "of another shape", "a bomb", "too large", "of the future"],
)
def test_what_is_no_trusted_bundle_is_refused(data: bytes, reason: Refusal) -> None:
    with pytest.raises(WireError) as refused:
        open_bundle(data, TRUSTED)
    assert refused.value.reason is reason


def test_a_body_the_wire_does_not_carry_is_refused_before_signing() -> None:
    with pytest.raises(WireError, match="float"):
        sign_bundle(bundle({"price": 0.5}), CLOUD_KEY)


@pytest.mark.parametrize("changes", [{}, {"expires_ms": NOW_MS + 1}])
def test_a_newer_unexpired_bundle_of_this_gateway_is_fresh(changes: dict[str, Any]) -> None:
    check_fresh(bundle(**changes), gateway_id=GATEWAY, version_in_force=2, now=NOW)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"version": 2}, Refusal.STALE_VERSION),
        ({"version": 1}, Refusal.STALE_VERSION),
        ({"expires_ms": NOW_MS}, Refusal.EXPIRED),
        ({"gateway_id": ELSEWHERE, "version": 1, "expires_ms": 0}, Refusal.FOREIGN_GATEWAY),
        ({"version": 1, "expires_ms": 0}, Refusal.STALE_VERSION),
    ],
)
def test_a_bundle_that_may_not_replace_the_one_in_force_is_refused(changes: dict[str, Any], reason: Refusal) -> None:
    with pytest.raises(WireError) as refused:
        check_fresh(bundle(**changes), gateway_id=GATEWAY, version_in_force=2, now=NOW)
    assert refused.value.reason is reason


def test_a_bundle_beyond_its_bound_is_refused_before_it_leaves() -> None:
    with pytest.raises(WireError) as refused:
        sign_bundle(bundle({"of": bytes(BUNDLE_UNPACKED_MAX)}), CLOUD_KEY)
    assert refused.value.reason is Refusal.OVERSIZE


def test_a_body_that_is_no_map_is_refused() -> None:
    raw = encode([1, GATEWAY.bytes, 1, 1, NOW_MS, None, []])
    with pytest.raises(WireError, match="no map"):
        open_bundle(sign(CLOUD_KEY, Purpose.BUNDLE, compress(raw)), TRUSTED)


def test_versions_count_from_one() -> None:
    with pytest.raises(InvariantError):
        bundle(version=0)


def test_a_certificate_comes_back_as_it_was_signed() -> None:
    made = certificate(not_after_ms=NOW_MS)
    signed = sign_bundle(certificate_bundle(made), CLOUD_KEY)
    assert open_first_certificate(signed, GATEWAY_KEY.public_key) == made
    assert certificate_of(open_bundle(signed, TRUSTED)) == made


@pytest.mark.parametrize(
    ("made", "signer", "reason"),
    [
        (certificate_bundle(certificate()), OTHER_KEY, Refusal.UNKNOWN_KEY),
        (certificate_bundle(certificate(public_key=OTHER_KEY.public_key)), CLOUD_KEY, Refusal.FOREIGN_GATEWAY),
        (certificate_bundle(certificate(gateway_id=ELSEWHERE)), CLOUD_KEY, Refusal.FOREIGN_GATEWAY),
        (bundle(), CLOUD_KEY, Refusal.UNREADABLE),
        (bundle({}, kind=BundleKind.CERTIFICATE), CLOUD_KEY, Refusal.UNREADABLE),
    ],
    ids=["does not name its signer", "for another key", "for two gateways", "another kind", "empty"],
)
def test_a_first_certificate_that_does_not_hold_together_is_refused(made: Bundle, signer: Any, reason: Refusal) -> None:
    with pytest.raises(WireError) as refused:
        open_first_certificate(sign_bundle(made, signer), GATEWAY_KEY.public_key)
    assert refused.value.reason is reason


def test_the_time_of_a_bundle_is_the_clouds() -> None:
    with pytest.raises(WireError):
        check_fresh(
            bundle(expires_ms=NOW_MS), gateway_id=GATEWAY, version_in_force=0, now=NOW + timedelta(milliseconds=1)
        )
