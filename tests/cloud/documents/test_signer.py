"""A second and a third implementation confirm each seal: OpenSSL over the signed bytes, and Poppler over the file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cloud.documents.signer import der_of, name_of, new_key, pem_of
from common.errors import RefusalError
from tests.cloud.documents import examples
from tests.cloud.documents.programs import run

_RANGE = re.compile(rb"/ByteRange \[(\d+) (\d+) (\d+) (\d+) *\]")


def parts(pdf: bytes) -> tuple[bytes, bytes]:
    """Return the bytes that a seal is over, and the signature in DER."""
    found = _RANGE.search(pdf)
    assert found
    a, n, b, m = (int(number) for number in found.groups())
    assert (a, b + m) == (0, len(pdf))
    signature = bytes.fromhex(pdf[n + 1 : b - 1].decode())
    length = int.from_bytes(signature[2:4], "big") + 4
    return pdf[a : a + n] + pdf[b : b + m], signature[:length]


def openssl(folder: Path, content: bytes, signature: bytes, certificate: bytes) -> int:
    (folder / "content").write_bytes(content)
    (folder / "signature").write_bytes(signature)
    (folder / "ours.pem").write_text(pem_of(certificate))
    command = (
        "openssl cms -verify -binary -inform DER -in signature -content content -CAfile ours.pem -partial_chain"
        " -purpose any -no_check_time -out out"
    )
    return run(folder, *command.split()).returncode


def pdfsig(folder: Path, pdf: bytes) -> str:
    (folder / "paper.pdf").write_bytes(pdf)
    return run(folder, "pdfsig", "-nocert", "paper.pdf").stdout.decode()


async def test_openssl_confirms_the_seal_and_refuses_another_certificate(tmp_path: Path) -> None:
    key = examples.key()
    content, signature = parts(await examples.sealed(key))
    assert openssl(tmp_path, content, signature, key.certificate) == 0
    assert openssl(tmp_path, content, signature, examples.key(serial=9).certificate) != 0


async def test_openssl_refuses_changed_content(tmp_path: Path) -> None:
    key = examples.key()
    content, signature = parts(await examples.sealed(key))
    assert openssl(tmp_path, content + b" ", signature, key.certificate) != 0


async def test_poppler_confirms_the_seal_over_the_whole_file_at_the_time_we_said(tmp_path: Path) -> None:
    told = pdfsig(tmp_path, await examples.sealed(examples.key()))
    assert "Signature is Valid" in told
    assert "Total document signed" in told
    assert "ETSI.CAdES.detached" in told
    assert "Feb 01 2026 03:04:05" in told


async def test_poppler_sees_a_changed_byte(tmp_path: Path) -> None:
    pdf = await examples.sealed(examples.key())
    place = pdf.index(b"stream") + 40
    assert "Signature is Valid" not in pdfsig(tmp_path, pdf[:place] + bytes([pdf[place] ^ 1]) + pdf[place + 1 :])


async def test_the_mark_is_drawn_on_the_sealed_page(tmp_path: Path) -> None:
    (tmp_path / "paper.pdf").write_bytes(await examples.sealed(examples.key()))
    run(tmp_path, "pdftoppm", "-r", "30", "-singlefile", "paper.pdf", "page")
    pixels = (tmp_path / "page.ppm").read_bytes()
    reds = sum(1 for n in range(20, len(pixels) - 2, 3) if pixels[n] > 150 and max(pixels[n + 1 : n + 3]) < 90)
    assert reds > 20


def test_a_certificate_names_the_legal_person_and_travels_as_pem() -> None:
    key = new_key("花园物业有限公司", examples.WHEN, 5)
    assert name_of(key.certificate) == "花园物业有限公司"
    assert der_of(pem_of(key.certificate).encode()) == key.certificate


def test_a_long_name_is_cut_to_what_a_certificate_holds() -> None:
    assert name_of(new_key("长" * 80, examples.WHEN, 5).certificate) == "长" * 21


def test_a_file_that_is_no_certificate_is_refused_with_what_to_do() -> None:
    with pytest.raises(RefusalError, match="take the one that the company publishes"):
        der_of(b"-----BEGIN NOTHING-----")


def test_the_private_half_is_not_in_what_a_log_would_show() -> None:
    assert "private_key" not in repr(examples.key())
