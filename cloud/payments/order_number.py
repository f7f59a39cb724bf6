"""Our own order numbers: what a channel, a trade bill and a clerk name a payment, refund or agreement by.

Two letters, the day, thirteen random symbols and one check symbol (ISO/IEC 7064 MOD 37,36): 24 characters of
`[0-9A-Z]`, which every channel accepts. Never sequential, because that leaks volume and lets others guess; never the
bill's number, because a bill can have many attempts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from enum import StrEnum

from common.errors import ensure

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_RANDOM_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_SYMBOLS = 13
_SHAPE = re.compile(r"(GH|RF|DK)[0-9]{8}[0-9A-Z]{14}", re.ASCII)
_MODULUS = len(_ALPHABET)


class NumberKind(StrEnum):
    """What the number names; its two letters."""

    ORDER = "GH"
    REFUND = "RF"
    MANDATE = "DK"


def new_number(kind: NumberKind, day: date, random_bytes: Callable[[int], bytes]) -> str:
    """Return a fresh number.

    Args:
        kind: what it names.
        day: the civil day on which it is made.
        random_bytes: the source of randomness.
    """
    drawn = random_bytes(_RANDOM_SYMBOLS)
    ensure(len(drawn) == _RANDOM_SYMBOLS, "the random source returned a wrong count of bytes")
    body = f"{kind.value}{day:%Y%m%d}" + "".join(_RANDOM_ALPHABET[byte % len(_RANDOM_ALPHABET)] for byte in drawn)
    return body + check_symbol(body)


def is_number(text: str) -> bool:
    """Return whether the text has the shape of one of our numbers and its check symbol holds."""
    return _SHAPE.fullmatch(text) is not None and check_symbol(text[:-1]) == text[-1]


def check_symbol(body: str) -> str:
    """Return the ISO/IEC 7064 MOD 37,36 check symbol of text in `[0-9A-Z]`."""
    product = _MODULUS
    for symbol in body:
        total = (product + _ALPHABET.index(symbol)) % _MODULUS or _MODULUS
        product = total * 2 % (_MODULUS + 1)
    return _ALPHABET[(_MODULUS + 1 - product) % _MODULUS]
