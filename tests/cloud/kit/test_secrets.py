"""The vault: what it seals opens only with its key, for its thing, unaltered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.kit.secrets import KEY_SIZE, Vault
from common.errors import InvariantError, RefusalError
from tests.support.randomness import seeded_bytes

KEY = bytes(range(KEY_SIZE))


@given(st.binary(max_size=200), st.text(max_size=40))
def test_a_secret_opens_for_the_thing_it_was_sealed_for(plain: bytes, thing: str) -> None:
    vault = Vault(KEY, seeded_bytes(1))
    sealed = vault.seal(plain, thing)
    assert Vault(KEY, seeded_bytes(2)).open(sealed, thing) == plain
    assert len(plain) < 4 or plain not in sealed


def test_it_opens_for_no_other_thing_with_no_other_key_and_not_altered() -> None:
    vault = Vault(KEY, seeded_bytes(1))
    sealed = vault.seal(b"secret", "row:1")
    others = [(vault, sealed, "row:2"), (Vault(KEY[::-1], seeded_bytes(1)), sealed, "row:1")]
    others += [(vault, sealed[:-1] + bytes([sealed[-1] ^ 1]), "row:1"), (vault, b"\x02" + sealed[1:], "row:1")]
    others += [(vault, b"\x01", "row:1"), (vault, b"", "row:1")]
    for keeper, data, thing in others:
        with pytest.raises(InvariantError):
            keeper.open(data, thing)


def test_a_key_of_another_size_is_refused() -> None:
    with pytest.raises(RefusalError, match="16 bytes"):
        Vault(b"k" * 16, seeded_bytes(1))
