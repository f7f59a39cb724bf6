"""Sealed secrets open only for their company, their purpose and their key."""

from __future__ import annotations

import base64
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.kit.secretbox import KEY_BYTES, SecretBox, decode_key, make_key_file
from common.errors import InvariantError, RefusalError
from common.ids import TenantId

EAST, WEST = TenantId(UUID(int=1)), TenantId(UUID(int=2))
BOX = SecretBox(bytes(range(KEY_BYTES)))


@given(st.binary(max_size=200))
def test_a_sealed_secret_opens_and_never_looks_the_same(plain: bytes) -> None:
    first, second = (BOX.seal(EAST, "api key", plain) for _ in range(2))
    assert first != second
    assert BOX.open(EAST, "api key", first) == plain


@pytest.mark.parametrize(
    "attempt",
    [
        lambda sealed: BOX.open(WEST, "api key", sealed),
        lambda sealed: BOX.open(EAST, "phone", sealed),
        lambda sealed: SecretBox(bytes(KEY_BYTES)).open(EAST, "api key", sealed),
        lambda sealed: BOX.open(EAST, "api key", sealed[:-1] + bytes([sealed[-1] ^ 1])),
        lambda sealed: BOX.open(EAST, "api key", b"\x02" + sealed[1:]),
        lambda sealed: BOX.open(EAST, "api key", sealed[:10]),
        lambda sealed: BOX.open(EAST, "api key", sealed[:0]),
    ],
    ids=["other company", "other purpose", "other key", "changed", "other form", "cut short", "empty"],
)
def test_anything_else_does_not_open(attempt: object) -> None:
    assert callable(attempt)
    sealed = BOX.seal(EAST, "api key", b"secret")
    with pytest.raises(InvariantError, match=r"api key|phone"):
        attempt(sealed)


@pytest.mark.parametrize("text", ["", "not base64!", base64.b64encode(bytes(31)).decode()])
def test_a_text_that_is_no_key_is_refused_with_where_it_stands(text: str) -> None:
    with pytest.raises(RefusalError, match=r"secret\.key: the secret key"):
        decode_key(text, "secret.key")


def test_a_key_file_is_private_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    make_key_file(path)
    first = path.read_text(encoding="ascii")
    make_key_file(path)
    assert path.read_text(encoding="ascii") == first
    assert len(decode_key(first, "file")) == KEY_BYTES
    assert path.stat().st_mode & 0o077 == 0


def test_a_short_key_makes_no_box() -> None:
    with pytest.raises(RefusalError, match="32 bytes"):
        SecretBox(b"short")
