"""JSON messages of meters as pure values: bounded, exact, and refused where they are odd.

Numbers are kept as the text that was sent and become exact fractions, never floats. A message that is too large, too
deep, says one key twice or holds a number beyond measure is refused: whoever can reach a broker can write to it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction

from common.errors import RefusalError

MESSAGE_BYTES_MOST = 16_384
DEPTH_MOST = 32
PAYLOAD_BYTES_MOST = 4096
_NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?", re.ASCII)
_INDEX = re.compile(r"[0-9]{1,3}", re.ASCII)
_NANOSECONDS = re.compile(r"(\.[0-9]{6})[0-9]+")
_SECONDS_MOST = 1 << 34


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written."""

    text: str

    def exact(self) -> Fraction:
        """Return its value.

        Raises:
            RefusalError: it is written longer than any meter's value.
        """
        if _NUMBER.fullmatch(self.text) is None:
            raise RefusalError(f"number {self.text[:40]} is no meter's value")
        return Fraction(self.text)


def parse_message(payload: bytes) -> Mapping[str, object]:
    """Return the object of a message, its numbers as `Number`.

    Raises:
        RefusalError: the payload is too large or too deep, no JSON object, or says a key twice.
    """
    if len(payload) > MESSAGE_BYTES_MOST:
        raise RefusalError(f"a message of {len(payload)} bytes; meters send less than {MESSAGE_BYTES_MOST}")
    if _depth(payload) > DEPTH_MOST:
        raise RefusalError(f"a message nested deeper than {DEPTH_MOST}")
    try:
        document = json.loads(
            payload.decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=Number,
            parse_float=Number,
            parse_constant=_no_number,
        )
    except (UnicodeDecodeError, json.JSONDecodeError) as flaw:
        raise RefusalError(f"no JSON: {flaw}") from flaw
    if not isinstance(document, dict):
        raise RefusalError("no JSON object")
    return document


def find(document: object, path: Sequence[str]) -> object:
    """Return what stands at a path of names and indexes, None when nothing does.

    A step of digits is an index into a list; index 0 of a plain value is the value, because some meters send a number
    for one phase and a list for three.
    """
    for step in path:
        if isinstance(document, Mapping):
            document = document.get(step)
        elif isinstance(document, list):
            index = int(step) if _INDEX.fullmatch(step) else len(document)
            document = document[index] if index < len(document) else None
        elif step != "0":
            return None
    return document


def number_at(document: object, path: Sequence[str]) -> tuple[str, Fraction] | None:
    """Return the text and the value of the number at a path, None when nothing stands there.

    Raises:
        RefusalError: something else than one number stands there.
    """
    found = find(document, path)
    if found is None:
        return None
    number = Number(found) if isinstance(found, str) else found
    if not isinstance(number, Number):
        raise RefusalError(f"{'.'.join(path)} is no single number")
    return number.text, number.exact()


def text_at(document: object, path: Sequence[str]) -> str | None:
    """Return the text or the number's text at a path, None when nothing of that kind stands there."""
    found = find(document, path)
    if isinstance(found, Number):
        return found.text
    return found if isinstance(found, str) else None


def payload_at(document: object, path: Sequence[str], coding: str) -> bytes | None:
    """Return the binary payload at a path, None when nothing stands there.

    Raises:
        RefusalError: it is not coded as said, or larger than any radio frame.
    """
    text = text_at(document, path)
    if text is None:
        return None
    try:
        payload = base64.b64decode(text, validate=True) if coding == "base64" else bytes.fromhex(text)
    except (binascii.Error, ValueError) as flaw:
        raise RefusalError(f"{'.'.join(path)} is not {coding}") from flaw
    if len(payload) > PAYLOAD_BYTES_MOST:
        raise RefusalError(f"a payload of {len(payload)} bytes")
    return payload


def moment_at(document: object, path: Sequence[str], form: str) -> datetime | None:
    """Return the instant at a path in UTC, None when nothing stands there.

    Raises:
        RefusalError: what stands there is no instant of the form; a civil time without its zone is none.
    """
    text = text_at(document, path)
    if text is None:
        return None
    try:
        if form in {"unix_s", "unix_ms"}:
            seconds = Number(text).exact() / (1000 if form == "unix_ms" else 1)
            if not 0 <= seconds < _SECONDS_MOST:
                raise RefusalError(f"time {text} is out of reach")
            return datetime.fromtimestamp(seconds.numerator // seconds.denominator, UTC)
        moment = datetime.fromisoformat(_NANOSECONDS.sub(r"\1", text))
        if moment.tzinfo is None:
            raise RefusalError(f"time {text} says no zone")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as flaw:
        raise RefusalError(f"time {text[:40]} is no instant: {flaw}") from flaw


def _object(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise RefusalError("one key stands twice in an object")
    return found


def _no_number(word: str) -> object:
    raise RefusalError(f"{word} is no number")


def _depth(payload: bytes) -> int:
    """Return the deepest nesting that the brackets could make; text in quotes may only raise it."""
    depth = deepest = 0
    for byte in payload:
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest
