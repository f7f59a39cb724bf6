"""Mutants as people name and read them: where one stands, what it changes, and whether a run asks for it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from mutmut.mutation.data import SourceFileMutationData

ORIGINAL = "__mutmut_orig"
_NOTE = "# type: ignore # mutmut generated"


class Place(NamedTuple):
    """A module (`common/money/words.py`) and a function in it (`_four`, `Section.close`)."""

    module: str
    function: str

    @property
    def name(self) -> str:
        """Return the name that arguments are compared with, `money.words._four`."""
        return f"{self.module.removeprefix('common/').removesuffix('.py').replace('/', '.')}.{self.function}"


def place_of(name: str) -> Place:
    """Return where a mutant stands, by mutmut's name of it: `common.money.words.x__four__mutmut_9`."""
    module, _, mangled = name.partition("__mutmut_")[0].rpartition(".")
    function = mangled.removeprefix("x_") if mangled.startswith("x_") else mangled.removeprefix("xǁ").replace("ǁ", ".")
    return Place(f"{module.replace('.', '/')}.py", function)


def is_asked(name: str, arguments: Sequence[str]) -> bool:
    """Return whether a run asks for a mutant: arguments name packages, modules or functions; none asks for all."""
    place = f"{place_of(name).name}."
    wanted = [argument.removeprefix("common.") for argument in arguments]
    return not wanted or any(place.startswith(f"{one}.") or fnmatch(place[:-1], one) for one in wanted)


def changes(module: SourceFileMutationData, names: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield mutants of a module with the text they change and what it becomes, lines joined by a space."""
    path = Path("mutants") / module.path
    spans = json.loads(Path(f"{path}.spans").read_text(encoding="utf-8"))["spans"]
    lines = path.read_text(encoding="utf-8").split("\n")

    def body(name: str) -> list[str]:
        first, last = spans[name]
        return [line.replace(name, "").replace(_NOTE, "") for line in lines[first - 1 : last]]

    for name in names:
        short = name.rpartition(".")[2]
        original, changed = body(short.partition("__mutmut_")[0] + ORIGINAL), body(short)
        diff = list(difflib.unified_diff(original, changed, lineterm="", n=0))[2:]
        old, new = (" ".join(" ".join(line[1:] for line in diff if line[0] == sign).split()) for sign in "-+")
        yield name, old, new
