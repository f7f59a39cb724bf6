"""What holds for each signer: a key in software, in a token, at a service. OpenSSL and Poppler confirm every seal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cloud.documents.kinds import Check
from cloud.documents.signer import KeptSigner, KeyKeeper, Signer, SoftwareSigner
from cloud.documents.typesetting import PAPER, SEAL, typeset
from cloud.documents.verifying import examine
from tests.cloud.documents import examples, services, tokens
from tests.cloud.documents.test_signer import openssl, parts, pdfsig
from tests.cloud.documents.tokens import Drawer

SIGNERS = ("software", "token curve", "token rsa", "service curve", "service rsa")


@asynccontextmanager
async def opened(name: str) -> AsyncIterator[tuple[Signer, bytes]]:
    """Open a signer and give it with its certificate."""
    where, _, label = name.partition(" ")
    if where == "software":
        key = examples.key()
        yield SoftwareSigner(key), key.certificate
        return
    certificate = services.CERTIFICATES[label]
    keeper: KeyKeeper
    if where == "token":
        with tokens.opened() as keeper:
            yield KeptSigner(keeper, certificate, label), certificate
        return
    async with services.opened() as (keeper, _house):
        yield KeptSigner(keeper, certificate, label), certificate


async def sealed_by(signer: Signer) -> bytes:
    pdf, mark = typeset(PAPER, examples.sheet()), typeset(SEAL, {"name": examples.NAME})
    return await signer.seal(pdf, mark, examples.WHEN)


@pytest.mark.parametrize("name", SIGNERS)
async def test_openssl_and_poppler_confirm_what_every_signer_seals(drawer: Drawer, tmp_path: Path, name: str) -> None:
    del drawer
    async with opened(name) as (signer, certificate):
        sealed = await sealed_by(signer)
    found = examine(sealed, [certificate])
    assert (found.check, found.sealed_by, found.token) == (Check.GENUINE, examples.NAME, examples.TOKEN)
    content, signature = parts(sealed)
    assert openssl(tmp_path, content, signature, certificate) == 0
    assert openssl(tmp_path, content + b" ", signature, certificate) != 0
    told = pdfsig(tmp_path, sealed)
    assert "Signature is Valid" in told
    assert "Total document signed" in told


@pytest.mark.parametrize("name", SIGNERS)
async def test_a_changed_byte_and_another_certificate_are_seen_whoever_sealed(drawer: Drawer, name: str) -> None:
    del drawer
    async with opened(name) as (signer, certificate):
        sealed = await sealed_by(signer)
    place = sealed.index(b"stream") + 40
    changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
    assert examine(changed, [certificate]).check is not Check.GENUINE
    assert examine(sealed, [examples.key(serial=9).certificate]).check is not Check.GENUINE


@pytest.mark.parametrize("name", SIGNERS)
async def test_a_signer_seals_one_file_after_another(drawer: Drawer, name: str) -> None:
    del drawer
    async with opened(name) as (signer, certificate):
        files = [await sealed_by(signer) for _ in range(2)]
    assert [examine(file, [certificate]).check for file in files] == [Check.GENUINE, Check.GENUINE]
