"""A seal service gets digests only, is asked again under the same id, and only the pinned key's word is taken."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cloud.documents.errors import ForeignKeyError, SealServiceError
from cloud.documents.seal_service import SealService, ServiceAddress
from cloud.documents.typesetting import PAPER, SEAL, typeset
from cloud.kit.errors import BusyError
from tests.cloud.documents import examples, services, tokens
from tests.cloud.documents.services import CERTIFICATES, NOW_S
from tests.cloud.documents.tokens import KEYS
from tests.simulation.seal_service.service import SKEW_S_MAX, Trouble

CHALLENGE = b"what nobody signed before"
CURVE = CERTIFICATES["curve"]


async def seal(service: SealService) -> bytes:
    pdf, mark = typeset(PAPER, examples.sheet()), typeset(SEAL, {"name": examples.NAME})
    return await service.seal(CURVE, "curve", pdf, mark, examples.WHEN)


async def test_the_service_is_told_a_digest_and_never_the_document() -> None:
    async with services.opened() as (service, house):
        await seal(service)
    (body,) = house.bodies
    asked = json.loads(body)
    assert sorted(asked) == ["digest", "digest_algorithm", "key", "request_id"]
    assert (len(asked["digest"]), asked["key"]) == (64, "curve")
    assert len(body) < 300


@pytest.mark.parametrize("label", list(KEYS))
async def test_the_service_proves_that_it_has_the_key_of_the_certificate(label: str) -> None:
    async with services.opened() as (service, house):
        await service.confirm(CERTIFICATES[label], label, CHALLENGE)
        service.close()
    assert house.signings == 1
    assert json.loads(house.bodies[0])["digest"] == sha256(CHALLENGE).hexdigest()


@pytest.mark.parametrize("trouble", [Trouble.DOWN, Trouble.NOT_READY, Trouble.LATE, Trouble.SIGNED_THEN_LOST])
async def test_what_came_late_or_was_lost_is_asked_again_and_signed_once(trouble: Trouble) -> None:
    async with services.opened() as (service, house):
        house.troubles = [trouble]
        await service.confirm(CURVE, "curve", CHALLENGE)
        assert len(house.bodies) == 2
        assert house.bodies[0] == house.bodies[1]
        assert len(house.signed) == 1


async def test_a_service_that_stays_silent_is_busy_and_nothing_is_sealed() -> None:
    async with services.opened() as (service, house):
        house.troubles = [Trouble.DOWN] * 3
        with pytest.raises(BusyError, match="nothing was sealed"):
            await seal(service)
        assert len(house.bodies) == 3


@pytest.mark.parametrize("trouble", [Trouble.WRONG_CERTIFICATE, Trouble.WRONG_SIGNATURE])
async def test_another_certificate_and_a_signature_that_does_not_hold_are_never_put_on_a_file(trouble: Trouble) -> None:
    async with services.opened() as (service, house):
        house.troubles = [trouble]
        with pytest.raises(ForeignKeyError, match="bring the certificate of that key"):
            await seal(service)


async def test_a_key_that_is_not_the_pinned_one_is_refused() -> None:
    other = tokens.certificate(ec.generate_private_key(ec.SECP256R1()), examples.WHEN)
    async with services.opened() as (service, _):
        with pytest.raises(ForeignKeyError):
            await service.confirm(other, "curve", CHALLENGE)


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (Trouble.NO_QUOTA, "has no signatures left"),
        (Trouble.REVOKED, "exchange the seal key"),
        (Trouble.OTHER_REQUEST, "answers another request"),
        (Trouble.NO_JSON, "answers no signature"),
        (Trouble.REDIRECT, r"refuses \(307"),
    ],
)
async def test_a_refusal_says_in_words_what_to_do_and_is_not_asked_again(trouble: Trouble, words: str) -> None:
    async with services.opened() as (service, house):
        house.troubles = [trouble]
        with pytest.raises(SealServiceError, match=words):
            await service.confirm(CURVE, "curve", CHALLENGE)
        assert len(house.bodies) == 1


async def test_a_label_that_the_service_does_not_know_is_refused() -> None:
    async with services.opened() as (service, _):
        with pytest.raises(SealServiceError, match="no key of this label"):
            await service.confirm(CURVE, "nothing", CHALLENGE)


async def test_the_service_refuses_a_stranger_another_secret_and_a_wrong_clock() -> None:
    async with services.opened(client="another") as (service, _):
        with pytest.raises(SealServiceError, match="does not know us"):
            await service.confirm(CURVE, "curve", CHALLENGE)
    async with services.opened(secret="another") as (service, _):  # noqa: S106 - the wrong one
        with pytest.raises(SealServiceError, match="does not accept our signature"):
            await service.confirm(CURVE, "curve", CHALLENGE)
    async with services.opened(now_s=lambda: NOW_S + SKEW_S_MAX + 1) as (service, house):
        with pytest.raises(SealServiceError, match="clock by NTP"):
            await service.confirm(CURVE, "curve", CHALLENGE)
        assert house.signings == 0


def test_the_secret_is_not_in_what_a_log_would_show() -> None:
    assert "tell-nobody" not in repr(ServiceAddress(url="https://x.test", client="us", secret="tell-nobody"))  # noqa: S106
