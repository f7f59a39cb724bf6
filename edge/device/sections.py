"""Reads a document of plain maps and lists, and gathers every fault instead of stopping at the first.

A reader that meets a fault notes it and returns a harmless stand-in; nothing may be built from the document unless
`faults` is empty at the end. Keys that nobody asked for are faults too: a misspelt key must not be silently ignored.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from fractions import Fraction

from common.errors import Fault

_DECIMAL = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)
_TEXT_MOST = 2000


class Section:
    """One map of the document, with the path under which a fault in it is reported."""

    def __init__(self, data: object, where: str, faults: list[Fault]) -> None:
        self.where = where
        self._faults = faults
        self._asked: set[str] = set()
        self._data: Mapping[str, object] = {}
        if isinstance(data, Mapping) and all(isinstance(key, str) for key in data):
            self._data = data
        else:
            self.fault("", "is not a map with text keys", "write it as `key: value` lines")

    def fault(self, key: str, what: str, remedy: str) -> None:
        """Note a fault of this section or of one of its keys."""
        where = f"{self.where}.{key}" if key and self.where else key or self.where
        self._faults.append(Fault(where=where or "document", what=what, remedy=remedy))

    def has(self, key: str) -> bool:
        """Return whether the key is written."""
        self._asked.add(key)
        return key in self._data

    def text(self, key: str, *, default: str | None = None, pattern: str = r"(?s).+", most: int = _TEXT_MOST) -> str:
        """Return a text of at most so many characters that matches the pattern as a whole."""
        if not self._required(key, has_default=default is not None):
            return default or ""
        value = self._data[key]
        if not isinstance(value, str) or len(value) > most or re.fullmatch(pattern, value) is None:
            self.fault(key, f"{_shown(value)} is not a text of the form {pattern}", "correct it; quote digits")
            return ""
        return value

    def choice(self, key: str, options: Collection[str], *, default: str | None = None) -> str:
        """Return one of the words."""
        value = self.text(key, default=default)
        if value and value not in options:
            self.fault(key, f"{value!r} is not known", f"choose one of {', '.join(sorted(options))}")
            return ""
        return value

    def integer(self, key: str, *, least: int, most: int, default: int | None = None) -> int:
        """Return a whole number within bounds."""
        if not self._required(key, has_default=default is not None):
            return default if default is not None else least
        value = self._data[key]
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.fault(key, f"{_shown(value)} is not a whole number", f"give one of {least}..{most}")
            return least
        return value

    def flag(self, key: str, *, default: bool | None = None) -> bool:
        """Return true or false."""
        if not self._required(key, has_default=default is not None):
            return bool(default)
        value = self._data[key]
        if not isinstance(value, bool):
            self.fault(key, f"{_shown(value)} is neither true nor false", "write true or false without quotes")
            return False
        return value

    def decimal(self, key: str, *, default: str | None = None) -> Fraction:
        """Return a number written as quoted decimal text; a bare YAML number would be a float."""
        value = self.text(key, default=default, pattern=_DECIMAL.pattern)
        return Fraction(value) if value else Fraction(0)

    def texts(self, key: str, *, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Return a list of texts."""
        if not self._required(key, has_default=default is not None):
            return default or ()
        value = self._data[key]
        if not isinstance(value, list) or not all(isinstance(entry, str) and entry for entry in value):
            self.fault(key, f"{_shown(value)} is not a list of texts", "write `[first, second]`")
            return ()
        return tuple(value)

    def text_map(self, key: str) -> Mapping[str, str]:
        """Return a map of texts to texts, empty when the key is missing."""
        if not self.has(key):
            return {}
        value = self._data[key]
        if not isinstance(value, Mapping) or not all(isinstance(part, str) for pair in value.items() for part in pair):
            self.fault(key, f"{_shown(value)} is not a map of texts", "quote the values")
            return {}
        return dict(value)

    def section(self, key: str, *, optional: bool = False) -> Section:
        """Return the map under a key; an optional one that is missing reads as empty."""
        if not self._required(key, has_default=optional):
            return Section({}, self._path(key), self._faults if optional else [])
        return Section(self._data[key], self._path(key), self._faults)

    def sections(self, key: str, *, optional: bool = False) -> list[Section]:
        """Return the maps of a list."""
        if not self._required(key, has_default=optional):
            return []
        value = self._data[key]
        if not isinstance(value, list):
            self.fault(key, "is not a list", "write each entry with a leading `- `")
            return []
        return [Section(entry, f"{self._path(key)}[{n}]", self._faults) for n, entry in enumerate(value)]

    def named_sections(self, key: str) -> Iterable[tuple[str, Section]]:
        """Return the maps under the names of a map, empty when the key is missing."""
        if not self.has(key):
            return []
        named = Section(self._data[key], self._path(key), self._faults)
        return [(name, named.section(name)) for name in named._data]

    def finish(self) -> None:
        """Note every key that nobody asked for."""
        for key in sorted(set(self._data) - self._asked):
            known = ", ".join(sorted(self._asked))
            self.fault(key, "is not a key of this section", f"remove it or spell it as one of {known}")

    def _required(self, key: str, *, has_default: bool) -> bool:
        if self.has(key):
            return True
        if not has_default:
            self.fault(key, "is missing", "add it; profiles/_blueprint.yaml shows every key")
        return False

    def _path(self, key: str) -> str:
        return f"{self.where}.{key}" if self.where else key


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - a line of a message
