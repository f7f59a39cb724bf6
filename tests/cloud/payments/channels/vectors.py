"""The published vectors of all channels, read from their data files."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from cryptography.x509 import load_der_x509_certificate

_FOLDER = Path(__file__).parents[3] / "data" / "payments"


def of_kind(channel: str, kind: str) -> list[dict[str, Any]]:
    """Return the vectors of one kind; an empty list would make a test that checks nothing, so it is an error."""
    found = [vector for vector in _load(channel)["vectors"] if vector["kind"] == kind]
    assert found, kind
    return found


def der(channel: str, name: str) -> bytes:
    """Return a key or certificate in DER."""
    return b64decode(_load(channel)["keys"][name]["der_b64"])


def public_key(channel: str, name: str) -> RSAPublicKey:
    """Return a public test key, bare or from its certificate."""
    entry, raw = _load(channel)["keys"][name], der(channel, name)
    key = load_der_x509_certificate(raw).public_key() if entry["kind"] == "x509" else load_der_public_key(raw)
    assert isinstance(key, RSAPublicKey)
    return key


def public_pem(channel: str, name: str) -> str:
    """Return a public test key as PEM."""
    return public_key(channel, name).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _load(channel: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((_FOLDER / f"{channel}-vectors.json").read_text("utf-8"))
    return loaded
