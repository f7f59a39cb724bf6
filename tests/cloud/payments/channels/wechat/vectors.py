"""The published WeChat Pay vectors, read from their data file."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key
from cryptography.x509 import load_der_x509_certificate

from cloud.payments.channels.trust import Distrust, DistrustedError

_FILE = Path(__file__).parents[4] / "data" / "payments" / "wechat-vectors.json"
_DATA: dict[str, Any] = json.loads(_FILE.read_text("utf-8"))


def of_kind(kind: str) -> list[dict[str, Any]]:
    """Return the vectors of one kind; an empty list would make a test that checks nothing, so it is an error."""
    found = [vector for vector in _DATA["vectors"] if vector["kind"] == kind]
    assert found, kind
    return found


def refusal_of(act: Callable[[], object]) -> Distrust | None:
    """Return why the act distrusted its message, or None when it believed it."""
    try:
        act()
    except DistrustedError as error:
        return error.reason
    return None


def private_key(name: str) -> RSAPrivateKey:
    """Return a private test key."""
    key = load_der_private_key(_der(name), password=None)
    assert isinstance(key, RSAPrivateKey)
    return key


def public_key(name: str) -> RSAPublicKey:
    """Return a public test key, bare or from its certificate."""
    entry = _DATA["keys"][name]
    der = b64decode(entry["der_b64"])
    key = load_der_x509_certificate(der).public_key() if entry["kind"] == "x509" else load_der_public_key(der)
    assert isinstance(key, RSAPublicKey)
    return key


def _der(name: str) -> bytes:
    return b64decode(_DATA["keys"][name]["der_b64"])
