"""A key in a real PKCS#11 token proves itself and refuses what is not its own; `test_every_signer.py` has it seal."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cloud.documents.errors import ForeignKeyError, TokenError
from cloud.documents.seal_token import TokenAddress
from cloud.kit.errors import BusyError
from tests.cloud.documents import examples, tokens
from tests.cloud.documents.tokens import KEYS, Drawer

CHALLENGE = b"what nobody signed before"


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
