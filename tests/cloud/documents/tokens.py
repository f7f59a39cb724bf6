"""A token of SoftHSM in a folder of its own, with keys that never leave it, and certificates for them.

The library reads its configuration once in the life of a process, so all tests of a process share one drawer.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from cloud.documents.seal_token import SealToken, TokenAddress

PIN = "834172"
LABEL = "seals"
_PLACES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
KEYS: dict[str, Key] = {
    "curve": ec.generate_private_key(ec.SECP256R1()),
    "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
}


def module() -> str:
    """Return where the library of SoftHSM is."""
    return next(place for place in _PLACES if Path(place).exists())


class Drawer:
    """A folder with one token; programs of SoftHSM put keys into it."""

    def __init__(self, folder: Path) -> None:
        (folder / "tokens").mkdir(parents=True)
        self.config = folder / "softhsm2.conf"
        self.config.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n")
        self._folder = folder
        self._count = 0
        self._run("--init-token", "--free", "--label", LABEL, "--so-pin", "5711", "--pin", PIN)

    def add(self, label: str, key: Key) -> None:
        """Put a private key into the token."""
        self._count += 1
        file = self._folder / "key.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        number = f"{self._count:02d}"
        self._run("--import", str(file), "--token", LABEL, "--label", label, "--id", number, "--pin", PIN)
        file.unlink()

    def _run(self, *arguments: str) -> None:
        environment = {"SOFTHSM2_CONF": str(self.config), "PATH": "/usr/bin:/bin"}
        subprocess.run(["softhsm2-util", *arguments], env=environment, check=True, capture_output=True)  # noqa: S603, S607


@contextmanager
def opened(label: str = LABEL, pin: str = PIN) -> Iterator[SealToken]:
    """Open the token of the folder that SOFTHSM2_CONF names."""
    token = SealToken(TokenAddress(module=module(), label=label, pin=pin))
    yield token
    token.close()


def certificate(key: Key, now: datetime, name: str = "花园物业有限公司", days: int = 365) -> bytes:
    """Return a certificate of a key, as an authority would issue it, in DER."""
    subject = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, name), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(77)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )
