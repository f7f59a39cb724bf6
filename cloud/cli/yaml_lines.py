"""YAML text to plain data, with the line of every field, so that a fault can name its line.

Bounded: a file of at most 1 MB that unfolds to at most 100,000 values, so that aliases of aliases cannot grow without
end. A field written twice is a fault here, where a YAML loader would silently keep the last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from common.errors import Fault, FaultsError, RefusalError

BYTES_MAX = 1_000_000
VALUES_MAX = 100_000
DEPTH_MAX = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A document and the line on which each of its places begins."""

    path: Path
    data: Mapping[str, object]
    lines: Mapping[str, int]

    def line_of(self, where: str) -> int:
        """Return the line of a place, of the nearest place above it when it is not written itself."""
        while where and where not in self.lines:
            where = where[: max(where.rfind("."), where.rfind("["), 0)]
        return self.lines.get(where, 1)

    def told(self, fault: Fault) -> str:
        """Return a fault as one line that an editor can jump to."""
        return f"{self.path}:{self.line_of(fault.where)}: {fault}"


def load_file(path: Path) -> Loaded:
    """Return the mapping that a YAML file holds.

    Raises:
        RefusalError: the file cannot be read, is too large, or is no YAML mapping.
        FaultsError: a field stands twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RefusalError(f"{path}: {error}; give the name of a readable UTF-8 file") from error
    if len(text) > BYTES_MAX:
        raise RefusalError(f"{path}: the file is larger than {BYTES_MAX} characters; split it")
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        places = list(_places(node, "", 0)) if node is not None else []
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RefusalError(f"{path}: it is not YAML: {error}") from error
    if not isinstance(data, Mapping):
        raise RefusalError(f"{path}: the file holds no fields; write it as `field: value`")
    lines: dict[str, int] = {}
    faults: list[Fault] = []
    for where, line in places:
        if where in lines:
            faults.append(
                Fault(
                    where=where,
                    what=f"the field stands twice, on lines {lines[where]} and {line}",
                    remedy="keep one of them",
                )
            )
        lines.setdefault(where, line)
    if faults:
        raise FaultsError(str(path), faults)
    return Loaded(path=path, data=data, lines=lines)


def _places(node: yaml.Node, where: str, depth: int) -> Iterator[tuple[str, int]]:
    """Yield the places below a node with their lines, in order."""
    if depth > DEPTH_MAX:
        raise yaml.YAMLError(f"the document nests deeper than {DEPTH_MAX}")
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
                raise yaml.YAMLError(f"the document unfolds to more than {VALUES_MAX} values")
            yield place
