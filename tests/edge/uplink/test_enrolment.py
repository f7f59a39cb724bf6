"""Enrolment keeps only a certificate for this very gateway, and says in words why the cloud refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.errors import RefusalError
from common.wire.requests import open_enrolment, pack_answer
from edge.uplink.enrolment import change_key, enrol
from edge.uplink.identity import Identity
from edge.uplink.link import CBOR, Reply
from tests.common.wire.builders import GATEWAY, OTHER_KEY
from tests.edge.uplink.test_identity import certificate
from tests.support.randomness import seeded_bytes

CHALLENGE = b"c" * 16


class PaperCloud:
    """A link whose one answer a test writes."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.bodies: list[bytes] = []

    async def post(self, path: str, body: bytes) -> Reply:
        assert path in {"/gateway/v1/enrol", "/gateway/v1/keys"}
        self.bodies.append(body)
        return self.reply


def answer(*bundles: bytes) -> PaperCloud:
    return PaperCloud(Reply(status=200, media_type=CBOR, body=pack_answer(CHALLENGE, bundles)))


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    return Identity.load(tmp_path / "keys", seeded_bytes(1))


async def test_the_request_carries_the_public_half_and_the_answer_makes_the_gateway_known(identity: Identity) -> None:
    cloud = answer(b"another bundle", certificate(identity.key))
    got = await enrol(cloud, identity, code="K7QF-29MX", epoch=5, hardware="pi 5")
    request = open_enrolment(cloud.bodies[0])
    assert (request.code, request.public_key, request.epoch) == ("K7QF-29MX", identity.key.public_key, 5)
    assert identity.gateway_id == GATEWAY
    assert got.challenge == CHALLENGE


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"detail": "this enrolment code was used before"}', "used before"),
        (b"<html>", "status 403"),
        (b"[1]", "status 403"),
    ],
)
async def test_a_refusal_is_said_in_the_clouds_words(identity: Identity, body: bytes, words: str) -> None:
    cloud = PaperCloud(Reply(status=403, media_type="application/problem+json", body=body))
    with pytest.raises(RefusalError, match=words):
        await enrol(cloud, identity, code="x", epoch=5, hardware="")
    assert not identity.enrolled


async def test_an_answer_without_our_certificate_is_refused(identity: Identity) -> None:
    for cloud in (answer(), answer(certificate(OTHER_KEY))):
        with pytest.raises(RefusalError, match="no certificate for this gateway"):
            await enrol(cloud, identity, code="x", epoch=5, hardware="")
    assert not identity.enrolled


async def test_a_key_changes_only_with_its_certificate(identity: Identity) -> None:
    identity.enrol(certificate(identity.key))
    old = identity.key.public_key
    with pytest.raises(RefusalError):
        await change_key(answer(certificate(OTHER_KEY)), identity, seeded_bytes(2))
    assert identity.key.public_key == old
    fresh = identity.next_key(seeded_bytes(2))
    await change_key(answer(certificate(fresh)), identity, seeded_bytes(3))
    assert identity.key.public_key == fresh.public_key
