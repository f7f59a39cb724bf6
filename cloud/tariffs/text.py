"""YAML or JSON text to plain data, with the line of every field, so that a fault can name its line. Pure.

Bounded: a text of at most 1 MB that unfolds to at most 100,000 values and nests at most 40 deep, so that aliases of
aliases cannot grow without end. A field written twice is a fault here, where a YAML loader would silently keep the
last. Whatever is wrong with a text is told as faults with lines, never as an exception of the loader.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import yaml
from typing_extensions import override

from common.errors import Fault, FaultsError

CHARACTERS_MAX = 1_000_000
VALUES_MAX = 100_000
DEPTH_MAX = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFault(Fault):
    """A fault and the line of the text on which it stands, the first being 1."""

    line: int

    @override
    def __str__(self) -> str:
        """Return the fault as one line."""
        return f"line {self.line}: {self.where}: {self.what}; {self.remedy}"


class TextFaultsError(FaultsError):
    """All faults of one text at once, each with its line."""

    def __init__(self, name: str, faults: Sequence[LineFault]) -> None:
        super().__init__(name, faults)
        self.line_faults = tuple(faults)

    def told(self) -> list[str]:
        """Return each fault as one line that an editor can jump to."""
        return [
            f"{self.subject}:{fault.line}: {fault.where}: {fault.what}; {fault.remedy}" for fault in self.line_faults
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A document and the line on which each of its places begins."""

    name: str
    data: Mapping[str, object]
    lines: Mapping[str, int]

    def line_of(self, where: str) -> int:
        """Return the line of a place, of the nearest place above it when it is not written itself."""
        while where and where not in self.lines:
            where = where[: max(where.rfind("."), where.rfind("["), 0)]
        return self.lines.get(where, 1)

    def placed(self, refusal: FaultsError) -> TextFaultsError:
        """Return the faults found in the document with their lines."""
        faults = [
            LineFault(where=fault.where, what=fault.what, remedy=fault.remedy, line=self.line_of(fault.where))
            for fault in refusal.faults
        ]
        return TextFaultsError(self.name, sorted(faults, key=lambda fault: fault.line))


def load_text(text: str, name: str) -> Loaded:
    """Return the mapping that a text holds; `name` is how its faults call it.

    Raises:
        TextFaultsError: the text is too large, is no YAML mapping, or a field stands twice.
    """
    if len(text) > CHARACTERS_MAX:
        raise _refused(name, 1, f"it is larger than {CHARACTERS_MAX} characters", "split it")
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        places = list(_places(node, "", 0)) if node is not None else []
        data = loader.construct_document(node) if node is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = 1 if mark is None else mark.line + 1
        raise _refused(name, line, f"it is not YAML: {error.problem}", "mend the line or the one above it") from error
    except _ValueError as error:
        raise _refused(name, error.line, f"it cannot be read: {error}", "look at its days and numbers") from error
    except yaml.YAMLError as error:
        raise _refused(name, 1, f"it is not YAML: {error}", "save it as plain text in UTF-8") from error
    except RecursionError as error:
        raise _refused(name, 1, f"the document nests deeper than {DEPTH_MAX}", "write it flatter") from error
    if not isinstance(data, Mapping):
        raise _refused(name, 1, "the text holds no fields", "write it as `field: value`")
    return Loaded(name=name, data=data, lines=_lines(name, places))


class _ValueError(Exception):
    """A value that YAML takes for a day or a number and that is none, `2026-06-31`."""

    def __init__(self, error: ValueError, line: int) -> None:
        super().__init__(str(error))
        self.line = line


class _Loader(yaml.SafeLoader):
    """A loader that knows on which line a value could not be read."""

    @override
    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
        """Return the value of a node."""
        try:
            return super().construct_object(node, deep=deep)
        except ValueError as error:
            raise _ValueError(error, node.start_mark.line + 1) from error


def _refused(name: str, line: int, what: str, remedy: str) -> TextFaultsError:
    return TextFaultsError(name, [LineFault(where="text", what=what, remedy=remedy, line=line)])


def _lines(name: str, places: Sequence[tuple[str, int]]) -> dict[str, int]:
    """Return the line of each place.

    Raises:
        TextFaultsError: fields stand twice.
    """
    lines: dict[str, int] = {}
    faults: list[LineFault] = []
    for where, line in places:
        if where in lines:
            what = f"the field stands twice, on lines {lines[where]} and {line}"
            faults.append(LineFault(where=where, what=what, remedy="keep one of them", line=line))
        lines.setdefault(where, line)
    if faults:
        raise TextFaultsError(name, faults)
    return lines


def _places(node: yaml.Node, where: str, depth: int) -> Iterator[tuple[str, int]]:
    """Yield the places below a node with their lines, in order."""
    if depth > DEPTH_MAX:
        raise yaml.MarkedYAMLError(problem=f"it nests deeper than {DEPTH_MAX}", problem_mark=node.start_mark)
    count = 0
    children: list[tuple[str, int, yaml.Node]] = []
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = f"{where}.{key.value}" if where else str(key.value)
            children.append((name, key.start_mark.line + 1, value))
    elif isinstance(node, yaml.SequenceNode):
        children = [(f"{where}[{n}]", item.start_mark.line + 1, item) for n, item in enumerate(node.value)]
    for name, line, child in children:
        yield name, line
        for place in _places(child, name, depth + 1):
            count += 1
            if count > VALUES_MAX:
                what = f"it unfolds to more than {VALUES_MAX} values"
                raise yaml.MarkedYAMLError(problem=what, problem_mark=node.start_mark)
            yield place
