"""The secret box: what it seals opens only with its key, for its company and purpose, unaltered."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.kit.secrets import KEY_BYTES, SecretBox, decode_key, make_key_file
from common.errors import InvariantError, RefusalError
from common.ids import TenantId

KEY = bytes(range(KEY_BYTES))
EAST, WEST = TenantId(UUID(int=1)), TenantId(UUID(int=2))


@given(st.binary(max_size=200), st.text(max_size=40))
def test_a_secret_opens_for_the_purpose_it_was_sealed_for(plain: bytes, purpose: str) -> None:
    sealed = SecretBox(KEY).seal(EAST, purpose, plain)
    assert SecretBox(KEY).open(EAST, purpose, sealed) == plain
    assert len(plain) < 4 or plain not in sealed


def test_it_opens_for_nothing_else_with_no_other_key_and_not_altered() -> None:
    box = SecretBox(KEY)
    sealed = box.seal(EAST, "row:1", b"secret")
    others = [(box, EAST, "row:2", sealed), (box, WEST, "row:1", sealed), (SecretBox(KEY[::-1]), EAST, "row:1", sealed)]
    altered = [sealed[:-1] + bytes([sealed[-1] ^ 1]), b"\x02" + sealed[1:], b""]
    others += [(box, EAST, "row:1", data) for data in altered]
    for keeper, tenant, purpose, data in others:
        with pytest.raises(InvariantError):
            keeper.open(tenant, purpose, data)


def test_a_key_of_another_size_is_refused() -> None:
    with pytest.raises(RefusalError, match="32 bytes"):
        SecretBox(b"k" * 16)


def test_a_key_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "key"
    make_key_file(file)
    first = file.read_text("ascii")
    make_key_file(file)
    assert file.read_text("ascii") == first
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(decode_key(first, "key file")) == KEY_BYTES


@pytest.mark.parametrize("text", ["not base64!", "c2hvcnQ="])
def test_a_text_that_is_no_key_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(RefusalError, match="settings: the secret key"):
        decode_key(text, "settings")
