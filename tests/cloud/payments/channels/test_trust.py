"""Keys and signatures that all channels share."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from cloud.payments.channels import trust
from common.errors import RefusalError

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def test_a_signature_holds_over_exactly_these_bytes() -> None:
    signature = trust.sign(KEY, b"fen 100")
    assert trust.is_signed(KEY.public_key(), b"fen 100", signature)
    assert not trust.is_signed(KEY.public_key(), b"fen 101", signature)
    assert not trust.is_signed(KEY.public_key(), b"fen 100", "WECHATPAY/SIGNTEST/" + signature)


def test_a_weak_or_foreign_key_is_refused() -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - the weak key that is refused
    curve = ec.generate_private_key(ec.SECP256R1())
    for key in (weak, curve):
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        with pytest.raises(RefusalError):
            trust.load_private_key(private)
        with pytest.raises(RefusalError):
            trust.load_public_key(public)


@pytest.mark.parametrize("text", [b"", b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"])
def test_text_that_is_no_key_is_refused(text: bytes) -> None:
    with pytest.raises(RefusalError):
        trust.load_public_key(text)
    with pytest.raises(RefusalError):
        trust.load_private_key(text)


def test_an_unreadable_message_says_so() -> None:
    assert trust.unreadable("x").reason is trust.Distrust.UNREADABLE
