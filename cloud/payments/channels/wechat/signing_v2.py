"""The older signature of WeChat Pay v2, which payment codes and deduction contracts still speak.

Non-empty parameters are sorted by name, joined as a query, followed by the API key and digested; upper-case hex.
Must not be used where APIv3 exists.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from enum import StrEnum


class Digest(StrEnum):
    """The digests that v2 knows."""

    MD5 = "MD5"
    HMAC_SHA256 = "HMAC-SHA256"


def sign(parameters: Mapping[str, str], api_key: str, digest: Digest) -> str:
    """Return the signature; empty values and `sign` itself take no part."""
    pairs = sorted((name, value) for name, value in parameters.items() if value and name != "sign")
    text = "&".join([*(f"{name}={value}" for name, value in pairs), f"key={api_key}"]).encode()
    if digest is Digest.MD5:
        return hashlib.md5(text, usedforsecurity=False).hexdigest().upper()
    return hmac.new(api_key.encode(), text, hashlib.sha256).hexdigest().upper()
