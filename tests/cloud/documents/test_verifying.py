"""Genuine, foreign, tampered, changed afterwards, unsealed, unreadable: each is told for what it is."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils.generic import pdf_name, pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from cloud.documents.kinds import Check
from cloud.documents.signer import SealKey
from cloud.documents.typesetting import PAPER, typeset
from cloud.documents.verifying import examine
from tests.cloud.documents import examples


@pytest.fixture(scope="module")
def key() -> SealKey:
    return examples.key()


@pytest.fixture
async def sealed(key: SealKey) -> bytes:
    return await examples.sealed(key)


def changed_afterwards(pdf: bytes) -> bytes:
    """Return the file with a further revision that changes its title."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    writer.root[pdf_name("/Surprise")] = pdf_string("paid")
    writer.update_root()  # type: ignore[no-untyped-call]
    out = io.BytesIO()
    writer.write(out)  # type: ignore[no-untyped-call]
    return out.getvalue()


async def test_a_file_as_it_was_sealed_is_genuine_and_names_paper_and_sealer(key: SealKey, sealed: bytes) -> None:
    found = examine(sealed, [key.certificate])
    assert found.check is Check.GENUINE
    assert (found.token, found.sealed_by, found.sealed_at) == (examples.TOKEN, examples.NAME, examples.WHEN)
    assert found.certificate_sha == key.fingerprint


async def test_a_byte_of_the_content_changed_is_tampering(key: SealKey, sealed: bytes) -> None:
    place = sealed.index(b"stream") + 40
    changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
    assert examine(changed, [key.certificate]).check is Check.TAMPERED


async def test_a_seal_of_the_same_name_by_another_key_is_foreign(key: SealKey) -> None:
    forged = await examples.sealed(examples.key(serial=8))
    found = examine(forged, [key.certificate])
    assert found.check is Check.FOREIGN_SEAL
    assert found.sealed_by == examples.NAME


async def test_a_revision_after_the_seal_is_a_change_even_if_the_seal_holds(key: SealKey, sealed: bytes) -> None:
    assert examine(changed_afterwards(sealed), [key.certificate]).check is Check.CHANGED_AFTER


async def test_bytes_behind_the_seal_are_a_change(key: SealKey, sealed: bytes) -> None:
    assert examine(sealed + b"\n% more\n", [key.certificate]).check is Check.CHANGED_AFTER


def test_a_paper_without_a_seal_is_unsealed_and_still_names_itself(key: SealKey) -> None:
    found = examine(typeset(PAPER, examples.sheet()), [key.certificate])
    assert (found.check, found.token) == (Check.UNSEALED, examples.TOKEN)


@pytest.mark.parametrize(
    "junk", [b"", b"%PDF-1.7\n", b"hello", b"\x00" * 1000, b"%PDF-1.7\ntrailer<<>>startxref\n0\n%%EOF"]
)
def test_what_is_no_whole_pdf_is_unreadable(junk: bytes) -> None:
    assert examine(junk, []).check is Check.UNREADABLE


async def test_a_file_cut_anywhere_is_never_genuine(key: SealKey, sealed: bytes) -> None:
    for length in range(0, len(sealed) - 1, len(sealed) // 60):
        assert examine(sealed[:length], [key.certificate]).check is not Check.GENUINE


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_bit_changed_in_what_is_sealed_is_never_genuine(data: st.DataObject) -> None:
    key, sealed = _ONCE
    found = examine(sealed, [key.certificate])
    assert found.check is Check.GENUINE
    start = sealed.index(b"/Contents <")
    end = sealed.index(b">", start)
    place = data.draw(st.one_of(st.integers(0, start), st.integers(end + 1, len(sealed) - 1)))
    bit = data.draw(st.integers(0, 7))
    changed = sealed[:place] + bytes([sealed[place] ^ (1 << bit)]) + sealed[place + 1 :]
    assert examine(changed, [key.certificate]).check is not Check.GENUINE


def _make_once() -> tuple[SealKey, bytes]:
    import asyncio  # noqa: PLC0415 - only to make the file that the property changes

    made = examples.key()
    return made, asyncio.run(examples.sealed(made))


_ONCE = _make_once()
