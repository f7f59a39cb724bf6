"""A key in a real PKCS#11 token seals as one in software does, proves itself, and refuses what is not its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cloud.documents.errors import ForeignKeyError, TokenError
from cloud.documents.kinds import Check
from cloud.documents.seal_token import TokenAddress, TokenSigner
from cloud.documents.signer import Signer, SoftwareSigner
from cloud.documents.typesetting import PAPER, SEAL, typeset
from cloud.documents.verifying import examine
from cloud.kit.errors import BusyError
from tests.cloud.documents import examples, tokens
from tests.cloud.documents.test_signer import openssl, parts, pdfsig
from tests.cloud.documents.tokens import KEYS, Drawer

CHALLENGE = b"what nobody signed before"


@pytest.mark.parametrize("holder", ["software", "curve", "rsa"])
async def test_every_holder_of_a_key_seals_so_that_openssl_and_poppler_agree(
    drawer: Drawer, tmp_path: Path, holder: str
) -> None:
    del drawer
    pdf, mark = typeset(PAPER, examples.sheet()), typeset(SEAL, {"name": examples.NAME})
    with tokens.opened() as token:
        signer: Signer
        if holder == "software":
            key = examples.key()
            certificate, signer = key.certificate, SoftwareSigner(key)
        else:
            certificate = tokens.certificate(KEYS[holder], examples.WHEN)
            signer = TokenSigner(token, certificate, holder)
        sealed = await signer.seal(pdf, mark, examples.WHEN)
    found = examine(sealed, [certificate])
    assert (found.check, found.sealed_by, found.token) == (Check.GENUINE, examples.NAME, examples.TOKEN)
    content, signature = parts(sealed)
    assert openssl(tmp_path, content, signature, certificate) == 0
    assert openssl(tmp_path, content + b" ", signature, certificate) != 0
    assert "Signature is Valid" in pdfsig(tmp_path, sealed)


@pytest.mark.parametrize("label", list(KEYS))
async def test_the_token_proves_that_it_has_the_key_of_the_certificate(drawer: Drawer, label: str) -> None:
    del drawer
    with tokens.opened() as token:
        await token.confirm(tokens.certificate(KEYS[label], examples.WHEN), label, CHALLENGE)


@pytest.mark.parametrize("label", list(KEYS))
async def test_the_certificate_of_another_key_is_refused(drawer: Drawer, label: str) -> None:
    del drawer
    other = tokens.certificate(ec.generate_private_key(ec.SECP256R1()), examples.WHEN)
    with tokens.opened() as token, pytest.raises(ForeignKeyError, match="bring the certificate of that key"):
        await token.confirm(other, label, CHALLENGE)


async def test_a_key_that_is_not_there_is_refused_by_its_label(drawer: Drawer) -> None:
    del drawer
    with tokens.opened() as token, pytest.raises(TokenError, match="no key nothing"):
        await token.confirm(tokens.certificate(KEYS["curve"], examples.WHEN), "nothing", CHALLENGE)


async def test_a_wrong_pin_is_refused_and_says_that_the_token_locks_itself(drawer: Drawer) -> None:
    del drawer
    with tokens.opened(pin="000000") as token, pytest.raises(TokenError, match="refuses the PIN"):
        await token.confirm(tokens.certificate(KEYS["curve"], examples.WHEN), "curve", CHALLENGE)


async def test_a_token_that_is_not_there_is_busy_and_nothing_is_sealed(drawer: Drawer) -> None:
    del drawer
    with tokens.opened(label="another token") as token, pytest.raises(BusyError, match="nothing was sealed"):
        await token.confirm(tokens.certificate(KEYS["curve"], examples.WHEN), "curve", CHALLENGE)


def test_the_pin_is_not_in_what_a_log_would_show() -> None:
    assert "834172" not in repr(TokenAddress(module="x.so", label="seals", pin=tokens.PIN))
