"""Strict CBOR (RFC 8949): deterministic bytes out, plain bounded values in.

Only integers of 64 bits, byte and text strings, arrays, maps, booleans and null cross the wire, and in arrays of
readings the typed arrays of RFC 8746. Tags that would build Python objects (dates, regular expressions, shared
references) are refused before they do, as are floats, indefinite lengths, repeated keys and trailing bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import Any, NoReturn

import cbor2

from common.errors import ensure
from common.wire.limits import DEPTH_MAX
from common.wire.refusal import Refusal, WireError

# Tags that cbor2 turns into Python objects by itself; each is overruled with a refusal.
_BUILT_IN_TAGS = (
    0, 1, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799,
)  # fmt: skip
# RFC 8746 section 2.1: little-endian typed arrays, by tag.
_LAYOUTS = {64: "B", 69: "H", 70: "I", 71: "Q", 72: "b", 77: "h", 78: "i", 79: "q"}
_UNSIGNED = ((64, 1 << 8), (69, 1 << 16), (70, 1 << 32), (71, 1 << 64))
_SIGNED = ((72, 1 << 7), (77, 1 << 15), (78, 1 << 31), (79, 1 << 63))
_WIDTHS = tuple((struct.calcsize(_LAYOUTS[tag]), limit) for tag, limit in _SIGNED)
_INT64_LIMIT = 1 << 63
COSE_SIGN1_TAG = 18


def _refuse_tag(_decoder: Any, _immutable: object = None) -> NoReturn:
    raise WireError(Refusal.MALFORMED, "a CBOR tag that is not part of the format")


_REFUSED_TAGS: dict[int, Callable[..., NoReturn]] = dict.fromkeys(_BUILT_IN_TAGS, _refuse_tag)


def encode(value: object) -> bytes:
    """Return the deterministic encoding (RFC 8949 section 4.2) of plain values and typed arrays."""
    encoded: bytes = cbor2.dumps(value, canonical=True)
    return encoded


def decode(data: bytes, what: str) -> Any:
    """Return the one value that the bytes hold.

    Raises:
        WireError: the bytes are not exactly one plain, bounded value; `what` names them in the message.
    """
    try:
        value = cbor2.loads(
            data,
            max_depth=DEPTH_MAX,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            semantic_decoders=_REFUSED_TAGS,
        )
        canonical = encode(value)
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise WireError(Refusal.MALFORMED, f"{what} is not readable CBOR") from error
    if canonical != data:
        raise WireError(Refusal.MALFORMED, f"{what} is not in the deterministic encoding, or bytes follow it")
    return value


def pack_integers(values: Sequence[int], *, signed: bool) -> cbor2.CBORTag:
    """Return the values as the narrowest little-endian typed array (RFC 8746) that holds them all."""
    tag = _narrowest(values, signed=signed)
    return cbor2.CBORTag(tag, struct.pack(f"<{len(values)}{_LAYOUTS[tag]}", *values))


def _narrowest(values: Sequence[int], *, signed: bool) -> int:
    low, high = (min(values), max(values)) if values else (0, 0)
    ensure(signed or low >= 0, "an unsigned array holds no negative value")
    for tag, limit in _SIGNED if signed else _UNSIGNED:
        if high < limit and low >= (-limit if signed else 0):
            return tag
    raise WireError(Refusal.MALFORMED, "a value outside 64 bits")


def integer_width(value: int) -> int:
    """Return how many bytes a signed typed array takes for one such value: 1, 2, 4 or 8."""
    for width, limit in _WIDTHS:
        if -limit <= value < limit:
            return width
    raise WireError(Refusal.MALFORMED, "a value outside 64 bits")


def unpack_integers(value: object, what: str, *, signed: bool, count_max: int) -> tuple[int, ...]:
    """Return the integers of a typed array.

    Raises:
        WireError: it is not a little-endian typed array of whole elements, holds more than `count_max`, or is wider
            than its values need: of one content there is one encoding.
    """
    allowed = _SIGNED if signed else _UNSIGNED
    if not isinstance(value, cbor2.CBORTag) or value.tag not in dict(allowed) or not isinstance(value.value, bytes):
        raise WireError(Refusal.UNREADABLE, f"{what} is not a typed array")
    layout = _LAYOUTS[value.tag]
    count, rest = divmod(len(value.value), struct.calcsize(layout))
    if rest or count > count_max:
        raise WireError(Refusal.UNREADABLE, f"{what} has a broken or an excessive length")
    integers = struct.unpack(f"<{count}{layout}", value.value)
    if _narrowest(integers, signed=signed) != value.tag:
        raise WireError(Refusal.UNREADABLE, f"{what} is wider than its values need")
    return integers


def require_plain(value: object, what: str) -> None:
    """Check that a free-form structure holds only integers, text, bytes, booleans, null, arrays and text-keyed maps.

    Raises:
        WireError: something else is in it; the depth is bounded by the decoder.
    """
    if value is None or isinstance(value, bool | str | bytes):
        return
    if isinstance(value, int) and -_INT64_LIMIT <= value < _INT64_LIMIT:
        return
    if isinstance(value, list | tuple):
        for item in value:
            require_plain(item, what)
        return
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise WireError(Refusal.UNREADABLE, f"{what} has a key that is no text")
            require_plain(item, what)
        return
    raise WireError(Refusal.UNREADABLE, f"{what} holds a {type(value).__name__}, which the wire does not carry")


def pack_steps(values: Sequence[int]) -> cbor2.CBORTag:
    """Return values as a typed array of the first value and the differences; runs of neighbours pack to nothing."""
    return pack_integers([after - before for before, after in pairwise((0, *values))], signed=True)


def unpack_steps(value: object, what: str, *, count_max: int) -> tuple[int, ...]:
    """Return the values behind an array of differences; they are not range checked.

    Raises:
        WireError: as `unpack_integers`.
    """
    return tuple(accumulate(unpack_integers(value, what, signed=True, count_max=count_max)))
