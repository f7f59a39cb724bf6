"""Canonical JSON: one value, one byte string, one hash, on every machine and Python version.

Sorted keys, no spaces, UTF-8, whole numbers only. A float is refused because its text differs between writers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from numbers import Real
from typing import TypeAlias

from common.errors import RefusalError

_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"


def to_plain(value: object, where: str = "document") -> Json:
    """Return the value as plain JSON data; dates become ISO text, tuples become lists.

    Raises:
        RefusalError: the value holds a float, or something that JSON cannot say.
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [to_plain(item, f"{where}[{index}]") for index, item in enumerate(value)]
    # A plain dict is asked for by its type first, because the abstract class is ten times slower to ask for.
    if isinstance(value, dict) or isinstance(value, Mapping):  # noqa: SIM101 - the order is the point
        return {_key(key, where): to_plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, Real):
        raise RefusalError(f'{where}: {value} is a binary fraction; write the decimal in quotes, such as "0.55"')
    raise RefusalError(f"{where}: {type(value).__name__} is no JSON value; use text, whole numbers, lists and mappings")


def canonical_json(value: object) -> bytes:
    """Return the only byte string that stands for the value.

    Raises:
        RefusalError: the value holds a float, or something that JSON cannot say.
    """
    return _ENCODER.encode(to_plain(value)).encode()


def canonical_sha(value: object) -> str:
    """Return the SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def plain_json(plain: Json) -> bytes:
    """Return the same bytes of data that is plain already; nothing in it is looked at again."""
    return _ENCODER.encode(plain).encode()


def plain_sha(plain: Json) -> str:
    """Return the same hash of data that is plain already."""
    return hashlib.sha256(plain_json(plain)).hexdigest()


def _key(key: object, where: str) -> str:
    if not isinstance(key, str):
        raise RefusalError(f"{where}: the key {key!r} is not text; put it in quotes")
    return key
