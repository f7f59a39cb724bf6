"""Who the gateway is: its key, made here and never given away, and the certificate that names it.

    HOME/keys/gateway.key      the private key, readable by its owner only
    HOME/keys/next.key         the next one while a change of key is under way
    HOME/keys/certificate.cose the newest certificate, as the cloud signed it

A file is written aside, synced and renamed, so that a power cut leaves the old or the new one, never half of one. A
damaged key is never replaced silently: the gateway says so and is enrolled again by a person.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from common.errors import InvariantError, RefusalError
from common.ids import GatewayId
from common.wire.bundle import Certificate, certificate_of, open_bundle, open_first_certificate
from common.wire.refusal import Refusal, WireError
from common.wire.signing import SigningKey

KEY_FILE = "gateway.key"
NEXT_KEY_FILE = "next.key"
CERTIFICATE_FILE = "certificate.cose"
_OTHERS = 0o077


class Identity:
    """The gateway's key and what its certificate says; `certificate` is None until it is enrolled."""

    def __init__(self, folder: Path, key: SigningKey, certificate: Certificate | None) -> None:
        self._folder = folder
        self._certificate = certificate
        self.key = key

    @classmethod
    def load(cls, folder: Path, entropy: Callable[[int], bytes]) -> Identity:
        """Return the identity in a folder; the key is made when there is none.

        Raises:
            RefusalError: the folder cannot be written, the key file is damaged or readable by others, or the
                certificate is not for this key.
        """
        path = folder / KEY_FILE
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists():
                write_synced(path, SigningKey.generate(entropy).seed_text().encode())
            _finish_key_change(folder)
        except OSError as error:
            raise RefusalError(f"keys {folder}: {error.strerror}; give the gateway a folder it may write") from error
        key = _read_key(path)
        return cls(folder, key, _read_certificate(folder / CERTIFICATE_FILE, key))

    @property
    def enrolled(self) -> bool:
        """Return whether a certificate names this gateway."""
        return self._certificate is not None

    @property
    def gateway_id(self) -> GatewayId:
        """Return the gateway's id; only an enrolled gateway has one."""
        return self._named().gateway_id

    @property
    def trusted(self) -> Mapping[bytes, bytes]:
        """Return the public keys of the cloud by key id."""
        return self._named().cloud_keys

    def enrol(self, signed: bytes) -> None:
        """Keep the certificate that answered the enrolment.

        Raises:
            WireError: it is no certificate for this gateway's key.
        """
        self._certificate = open_first_certificate(signed, self.key.public_key)
        write_synced(self._folder / CERTIFICATE_FILE, signed)

    def renew(self, signed: bytes) -> None:
        """Keep a newer certificate, signed by a key that the one before trusts.

        Raises:
            WireError: nobody trusted signed it, or it is for another gateway or key.
        """
        fresh = certificate_of(open_bundle(signed, self.trusted))
        if fresh.gateway_id != self.gateway_id or fresh.public_key != self.key.public_key:
            raise WireError(Refusal.FOREIGN_GATEWAY, "the certificate is for another gateway or another key")
        self._certificate = fresh
        write_synced(self._folder / CERTIFICATE_FILE, signed)

    def next_key(self, entropy: Callable[[int], bytes]) -> SigningKey:
        """Return the key that is to replace this one, the same at each call until it has."""
        path = self._folder / NEXT_KEY_FILE
        if not path.exists():
            write_synced(path, SigningKey.generate(entropy).seed_text().encode())
        return _read_key(path)

    def change_key(self, signed: bytes) -> None:
        """Take the next key into use, once its certificate has come.

        Raises:
            WireError: the certificate is not for the next key, or nobody trusted signed it.
        """
        fresh_key = _read_key(self._folder / NEXT_KEY_FILE)
        fresh = certificate_of(open_bundle(signed, self.trusted))
        if fresh.gateway_id != self.gateway_id or fresh.public_key != fresh_key.public_key:
            raise WireError(Refusal.FOREIGN_GATEWAY, "the certificate is for another gateway or another key")
        write_synced(self._folder / CERTIFICATE_FILE, signed)
        _finish_key_change(self._folder)
        self.key, self._certificate = fresh_key, fresh

    def _named(self) -> Certificate:
        if self._certificate is None:
            raise InvariantError("only an enrolled gateway has a certificate")
        return self._certificate


def _finish_key_change(folder: Path) -> None:
    """Put the next key in its place when the certificate is for it already; a power cut may lie between the two."""
    certificate, following = folder / CERTIFICATE_FILE, folder / NEXT_KEY_FILE
    if not certificate.exists() or not following.exists():
        return
    try:
        open_first_certificate(certificate.read_bytes(), _read_key(following).public_key)
    except WireError:
        return
    following.replace(folder / KEY_FILE)
    sync_folder(folder)


def _read_key(path: Path) -> SigningKey:
    if path.stat().st_mode & _OTHERS:
        raise RefusalError(f"{path} can be read by others; run `chmod 600 {path}`, then enrol again with a new code")
    return SigningKey.from_seed_text(path.read_text(encoding="ascii", errors="replace"))


def _read_certificate(path: Path, key: SigningKey) -> Certificate | None:
    if not path.exists():
        return None
    try:
        return open_first_certificate(path.read_bytes(), key.public_key)
    except WireError as error:
        raise RefusalError(f"{path} is not this gateway's certificate ({error}); remove it and enrol again") from error


def write_synced(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    aside = path.with_name(f".{path.name}.new")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
