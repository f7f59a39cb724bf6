"""Shapes: how a frozen record becomes a CBOR array and back, field by field, each field checked.

A shape lists the fields of a dataclass in wire order with the kind of each; the same list packs and unpacks, so the
two cannot drift apart. Unpacking trusts nothing: counts, lengths, ranges and types are checked, and a refusal names
the field. `schema.cddl` says the same order in RFC 8610 notation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, NoReturn, TypeVar
from uuid import UUID

from common.errors import GatehouseError
from common.wire.limits import TEXT_BYTES_MAX
from common.wire.refusal import Refusal, WireError

T = TypeVar("T")
_INT64_LIMIT = 1 << 63
_UUID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Kind:
    """How one value is packed and unpacked; `unpack` gets the value and the name to blame."""

    pack: Callable[[Any], object]
    unpack: Callable[[object, str], Any]


def refuse(what: str, why: str) -> NoReturn:
    """Refuse unreadable content, naming the field."""
    raise WireError(Refusal.UNREADABLE, f"{what} {why}")


def _same(value: Any) -> object:
    return value


def integer(low: int = -_INT64_LIMIT, high: int = _INT64_LIMIT - 1) -> Kind:
    """Return the kind of integers from `low` to `high`, both included."""

    def unpack(value: object, what: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            refuse(what, f"is no integer from {low} to {high}")
        return value

    return Kind(_same, unpack)


def text(bytes_max: int = TEXT_BYTES_MAX) -> Kind:
    """Return the kind of texts of at most `bytes_max` bytes in UTF-8."""

    def unpack(value: object, what: str) -> str:
        if not isinstance(value, str) or len(value.encode()) > bytes_max:
            refuse(what, f"is no text of at most {bytes_max} bytes")
        return value

    return Kind(_same, unpack)


def octets(bytes_max: int, bytes_min: int = 0) -> Kind:
    """Return the kind of byte strings between two lengths."""

    def unpack(value: object, what: str) -> bytes:
        if not isinstance(value, bytes) or not bytes_min <= len(value) <= bytes_max:
            refuse(what, f"is no byte string of {bytes_min} to {bytes_max} bytes")
        return value

    return Kind(bytes, unpack)


def choice(words: type[StrEnum]) -> Kind:
    """Return the kind of the members of a closed list of words, sent by their place in it."""
    members = tuple(words)

    def unpack(value: object, what: str) -> StrEnum:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < len(members):
            refuse(what, f"is not one of the {len(members)} words of {words.__name__}")
        return members[value]

    return Kind(members.index, unpack)


def optional(kind: Kind) -> Kind:
    """Return the kind that also allows null."""

    def pack(value: Any) -> object:
        return None if value is None else kind.pack(value)

    def unpack(value: object, what: str) -> Any:
        return None if value is None else kind.unpack(value, what)

    return Kind(pack, unpack)


def many(kind: Kind, count_max: int) -> Kind:
    """Return the kind of arrays of at most `count_max` values of one kind."""

    def pack(values: Any) -> object:
        return [kind.pack(value) for value in values]

    def unpack(value: object, what: str) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or len(value) > count_max:
            refuse(what, f"is no array of at most {count_max} values")
        return tuple(kind.unpack(item, what) for item in value)

    return Kind(pack, unpack)


def counters(count_max: int) -> Kind:
    """Return the kind of maps from names to integers."""
    name, figure = text(), integer()

    def unpack(value: object, what: str) -> Mapping[str, int]:
        if not isinstance(value, Mapping) or len(value) > count_max:
            refuse(what, f"is no map of at most {count_max} counters")
        return {name.unpack(key, what): figure.unpack(item, what) for key, item in value.items()}

    return Kind(dict, unpack)


def _unpack_boolean(value: object, what: str) -> bool:
    if not isinstance(value, bool):
        refuse(what, "is no boolean")
    return value


def _pack_uuid(value: Any) -> object:
    return value.bytes


def _unpack_uuid(value: object, what: str) -> UUID:
    if not isinstance(value, bytes) or len(value) != _UUID_BYTES:
        refuse(what, "is no id of 16 bytes")
    return UUID(bytes=value)


INTEGER = integer()
COUNT = integer(0)
BOOLEAN = Kind(_same, _unpack_boolean)
TEXT = text()
UNIQUE_ID = Kind(_pack_uuid, _unpack_uuid)


@dataclass(frozen=True, slots=True)
class Shape(Generic[T]):
    """The wire form of one dataclass: an array of its fields in the order given here."""

    make: Callable[..., T]
    fields: tuple[tuple[str, Kind], ...]

    def pack(self, record: T) -> list[object]:
        """Return the array of packed fields."""
        return [kind.pack(getattr(record, name)) for name, kind in self.fields]

    def unpack(self, value: object, what: str) -> T:
        """Return the record.

        Raises:
            WireError: a field is missing, too many, or not what it must be.
        """
        if not isinstance(value, list | tuple) or len(value) != len(self.fields):
            refuse(what, f"is no array of {len(self.fields)} fields")
        named = {
            name: kind.unpack(item, f"{what}.{name}") for (name, kind), item in zip(self.fields, value, strict=True)
        }
        try:
            return self.make(**named)
        except WireError:
            raise
        except (GatehouseError, ValueError) as error:
            raise WireError(Refusal.UNREADABLE, f"{what}: {error}") from error

    def kind(self) -> Kind:
        """Return the shape as a kind, to nest it in another."""
        return Kind(self.pack, self.unpack)


def shape_of(make: Callable[..., T], **fields: Kind) -> Shape[T]:
    """Return the shape whose fields are the keyword arguments in their order."""
    return Shape(make, tuple(fields.items()))
