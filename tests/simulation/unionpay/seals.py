"""UnionPay's own signing: what it sorts, digests and seals, with RSA over integers; and the authority behind it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID

from tests.simulation.wechat.seals import PublicKey, SigningKey, kept_key

NAME = "041@8310000000083040@中国银联股份有限公司@00016493"
_YEARS = timedelta(days=3650)


def hex_of(fields: Mapping[str, str]) -> str:
    """Return what is sealed: the hex over every field that has a value, but the signature, in the order of names."""
    names = sorted(name for name, value in fields.items() if value != "" and name != "signature")
    return hashlib.sha256("&".join(name + "=" + fields[name] for name in names).encode("utf-8")).hexdigest()


def sealed(key: SigningKey, certificate: str, fields: Mapping[str, str]) -> dict[str, str]:
    """Return fields with certificate and signature."""
    told = {**fields, "signMethod": "01", "signPubKeyCert": certificate}
    return {**told, "signature": key.seal(hex_of(told).encode())}


def confirmed(key: PublicKey, fields: Mapping[str, str]) -> bool:
    """Return whether a merchant's key signed the fields."""
    return key.confirms(hex_of(fields).encode(), fields.get("signature", ""))


def public_of(certificate: str) -> PublicKey:
    """Return the integers of a certificate's key."""
    key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise TypeError("a certificate here is RSA")
    numbers = key.public_numbers()
    return PublicKey(numbers.n, numbers.e)


def flat(fields: Mapping[str, str]) -> bytes:
    """Return an answer's body: fields joined without any escape."""
    return "&".join(f"{name}={value}" for name, value in fields.items()).encode()


class Certificates:
    """An authority and the certificate it issued to UnionPay, and one that a stranger gave himself."""

    def __init__(self, folder: Path) -> None:
        self.key = kept_key(folder / "unionpay.pem", "unionpay")
        self.stranger_key = kept_key(folder / "stranger.pem", "stranger")
        root_key, now = kept_key(folder / "root.pem", "root"), datetime.now(UTC)
        self.root = _kept(folder / "root.crt", _issue("CFCA ROOT", root_key, "CFCA ROOT", root_key, now))
        self.own = _kept(folder / "unionpay.crt", _issue(NAME, self.key, "CFCA ROOT", root_key, now))
        stranger = self.stranger_key
        self.stranger = _kept(folder / "stranger.crt", _issue(NAME, stranger, "CFCA ROOT", stranger, now))


def _kept(file: Path, pem: str) -> str:
    if not file.exists():
        file.write_text(pem, encoding="ascii")
    return file.read_text(encoding="ascii")


def _issue(name: str, key: SigningKey, issuer: str, issuer_key: SigningKey, now: datetime) -> str:
    subject = load_pem_private_key(key.pem, password=None)
    signer = load_pem_private_key(issuer_key.pem, password=None)
    if not isinstance(subject, rsa.RSAPrivateKey) or not isinstance(signer, rsa.RSAPrivateKey):
        raise TypeError("keys here are RSA")
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(subject.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + _YEARS)
        .sign(signer, SHA256())
    )
    return certificate.public_bytes(Encoding.PEM).decode()
