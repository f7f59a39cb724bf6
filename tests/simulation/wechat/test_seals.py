"""The channel's own signing code agrees with the published vectors, and with the library it does not use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.cloud.payments.channels.wechat.vectors import of_kind, private_key, public_key
from tests.simulation.wechat import seals


def _public(name: str) -> seals.PublicKey:
    pem = public_key(name).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return seals.read_public(pem.decode())


@pytest.mark.parametrize("vector", of_kind("wechat.v3.request_sign"), ids=lambda vector: str(vector["id"]))
def test_the_channel_seals_as_the_documentation_prints_it(tmp_path: Path, vector: dict[str, Any]) -> None:
    given, expected = vector["input"], vector["expect"]
    pem = private_key(given["key"]).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    key = seals.kept_key(tmp_path / "key.pem", "A")
    message = seals.lines(given["method"], given["url"], given["timestamp"], given["nonce"], given["body"])
    assert message == expected["message"].encode()
    assert key.seal(message) == expected["signature"]


@pytest.mark.parametrize("vector", of_kind("wechat.v3.request_verify"), ids=lambda vector: str(vector["id"]))
def test_the_channel_confirms_raw_bytes(vector: dict[str, Any]) -> None:
    given = vector["input"]
    message = seals.lines(given["method"], given["url"], given["timestamp"], given["nonce"], given["body"])
    assert _public(given["key"]).confirms(message, given["signature"])
    assert not _public(given["key"]).confirms(message + b" ", given["signature"])
    assert not _public(given["key"]).confirms(message, "not base64")


@pytest.mark.parametrize("vector", of_kind("wechat.v3.response_verify"), ids=lambda vector: str(vector["id"]))
def test_the_channel_confirms_answers(vector: dict[str, Any]) -> None:
    given = vector["input"]
    message = seals.lines(given["timestamp"], given["nonce"], given["body"])
    assert _public(given["key"]).confirms(message, given["signature"]) is vector["expect"]["valid"]


def test_a_new_key_is_kept_and_its_public_half_confirms_its_seal(tmp_path: Path) -> None:
    first = seals.kept_key(tmp_path / "key.pem", "A")
    again = seals.kept_key(tmp_path / "key.pem", "A")
    assert first == again
    assert first.pem != seals.new_key("B").pem
    (tmp_path / "key.pem").write_bytes(seals.new_key("B").pem)
    assert seals.kept_key(tmp_path / "key.pem", "A").pem == seals.new_key("B").pem
    assert seals.read_public(first.public_pem()).confirms(b"m", again.seal(b"m"))


def test_another_scheme_has_no_fields() -> None:
    assert seals.authorization_fields("Bearer abc") == {}
    assert seals.authorization_fields('WECHATPAY2-SHA256-RSA2048 mchid="1",serial_no="2"') == {
        "mchid": "1",
        "serial_no": "2",
    }
