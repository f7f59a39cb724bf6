"""The key is made once and never leaves; certificates are kept only when they are ours; power may fail anywhere."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from common.errors import InvariantError, RefusalError
from common.ids import GatewayId
from common.wire.bundle import Bundle, BundleKind, Certificate, certificate_body, sign_bundle
from common.wire.refusal import Refusal, WireError
from common.wire.signing import SigningKey
from edge.uplink.identity import CERTIFICATE_FILE, KEY_FILE, NEXT_KEY_FILE, Identity
from tests.common.wire.builders import CLOUD_KEY, GATEWAY, NOW_MS, OTHER_KEY
from tests.support.randomness import seeded_bytes


def certificate(key: SigningKey, *, signer: SigningKey = CLOUD_KEY, gateway_id: GatewayId = GATEWAY) -> bytes:
    keys = {signer.key_id: signer.public_key}
    body = certificate_body(
        Certificate(gateway_id=gateway_id, public_key=key.public_key, not_after_ms=None, cloud_keys=keys)
    )
    bundle = Bundle(gateway_id=gateway_id, kind=BundleKind.CERTIFICATE, version=1, made_ms=NOW_MS, body=body)
    return sign_bundle(bundle, signer)


def load(folder: Path, seed: int = 1) -> Identity:
    return Identity.load(folder / "keys", seeded_bytes(seed))


def test_the_key_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    first, again = load(tmp_path, 1), load(tmp_path, 2)
    assert first.key.public_key == again.key.public_key
    assert stat.S_IMODE((tmp_path / "keys" / KEY_FILE).stat().st_mode) == 0o600
    assert not first.enrolled
    with pytest.raises(InvariantError):
        _ = first.gateway_id


def test_a_folder_that_cannot_be_made_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("somebody else's file", encoding="ascii")
    with pytest.raises(RefusalError, match=r"keys: .*; give the gateway a folder it may write"):
        load(tmp_path)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    load(tmp_path)
    (tmp_path / "keys" / KEY_FILE).chmod(0o644)
    with pytest.raises(RefusalError, match="chmod 600"):
        load(tmp_path)


def test_a_damaged_key_is_never_replaced_silently(tmp_path: Path) -> None:
    load(tmp_path)
    (tmp_path / "keys" / KEY_FILE).write_text("gatehouse-ed25519-v1 ab")
    with pytest.raises(RefusalError, match="damaged"):
        load(tmp_path)
    assert (tmp_path / "keys" / KEY_FILE).read_text() == "gatehouse-ed25519-v1 ab"


def test_an_enrolled_gateway_is_the_same_after_a_restart(tmp_path: Path) -> None:
    identity = load(tmp_path)
    identity.enrol(certificate(identity.key))
    again = load(tmp_path)
    assert again.gateway_id == GATEWAY
    assert dict(again.trusted) == {CLOUD_KEY.key_id: CLOUD_KEY.public_key}


def test_a_certificate_for_another_key_is_not_kept(tmp_path: Path) -> None:
    identity = load(tmp_path)
    with pytest.raises(WireError):
        identity.enrol(certificate(OTHER_KEY))
    assert not load(tmp_path).enrolled


def test_a_certificate_that_does_not_fit_the_key_is_refused_at_start(tmp_path: Path) -> None:
    load(tmp_path)
    (tmp_path / "keys" / CERTIFICATE_FILE).write_bytes(certificate(OTHER_KEY))
    with pytest.raises(RefusalError, match="enrol again"):
        load(tmp_path)


def test_only_a_trusted_cloud_key_renews_a_certificate(tmp_path: Path) -> None:
    identity = load(tmp_path)
    identity.enrol(certificate(identity.key))
    with pytest.raises(WireError) as refused:
        identity.renew(certificate(identity.key, signer=OTHER_KEY))
    assert refused.value.reason is Refusal.UNKNOWN_KEY
    with pytest.raises(WireError):
        identity.renew(certificate(OTHER_KEY))
    identity.renew(certificate(identity.key))


def test_a_key_change_under_way_goes_on_with_the_same_key_after_a_restart(tmp_path: Path) -> None:
    identity = load(tmp_path)
    identity.enrol(certificate(identity.key))
    fresh = identity.next_key(seeded_bytes(5))
    assert load(tmp_path).next_key(seeded_bytes(6)).public_key == fresh.public_key
    identity.change_key(certificate(fresh))
    assert identity.key.public_key == fresh.public_key
    assert load(tmp_path).key.public_key == fresh.public_key
    assert not (tmp_path / "keys" / NEXT_KEY_FILE).exists()


def test_a_key_change_cut_off_after_the_certificate_is_finished_at_start(tmp_path: Path) -> None:
    identity = load(tmp_path)
    identity.enrol(certificate(identity.key))
    fresh = identity.next_key(seeded_bytes(5))
    (tmp_path / "keys" / CERTIFICATE_FILE).write_bytes(certificate(fresh))
    again = load(tmp_path)
    assert again.enrolled
    assert again.key.public_key == fresh.public_key


def test_a_key_change_with_a_certificate_for_another_key_changes_nothing(tmp_path: Path) -> None:
    identity = load(tmp_path)
    identity.enrol(certificate(identity.key))
    before = identity.key.public_key
    identity.next_key(seeded_bytes(5))
    with pytest.raises(WireError):
        identity.change_key(certificate(OTHER_KEY))
    assert load(tmp_path).key.public_key == before
