"""The cloud's own signing key: a file outside the database that only its owner can read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from common.errors import RefusalError
from common.wire.signing import SigningKey

_OTHERS = 0o077


def signing_key(path: Path) -> SigningKey:
    """Return the cloud's signing key, made at the first call; gateways trust it from their enrolment on.

    Raises:
        RefusalError: the file is damaged, or others may read it.
    """
    _make(path)
    if path.stat().st_mode & _OTHERS:
        raise RefusalError(f"{path} can be read by others; run `chmod 600 {path}` and consider the key known")
    return SigningKey.from_seed_text(path.read_text(encoding="ascii"))


def _make(path: Path) -> None:
    """Write a fresh key where none is; written aside and linked, so that two processes agree and none is half there."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(SigningKey.generate(secrets.token_bytes).seed_text())
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(aside, path)
    except FileExistsError:
        return
    finally:
        aside.unlink()
