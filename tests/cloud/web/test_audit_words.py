"""Every deed that the code of the cloud records in the audit has its words on the page of the audit log."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import cloud
from cloud.kit.actor import ActorKind
from cloud.web.audit_words import ACTORS, DEEDS, THINGS

CODE = Path(cloud.__path__[0])
DEED, THING = 0, 1


def recorded(source: str, place: int) -> Iterator[str]:
    """Yield the texts that calls of `record` carry at a place of their arguments."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "record":
            for part in ast.walk(node.args[place]) if len(node.args) > THING else ():
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value


def of_the_code(place: int) -> set[str]:
    return {word for path in CODE.rglob("*.py") for word in recorded(path.read_text(encoding="utf-8"), place)}


def test_every_deed_has_words() -> None:
    assert of_the_code(DEED) - DEEDS.keys() == set()


def test_every_thing_has_words() -> None:
    assert of_the_code(THING) - THINGS.keys() == set()


def test_every_kind_of_actor_has_words() -> None:
    assert set(get_args(ActorKind)) == ACTORS.keys()


def test_the_walk_finds_a_deed_and_its_thing() -> None:
    source = 'unit.record("ate" if hungry else "left", "apple", apple_id)'
    assert set(recorded(source, DEED)) == {"ate", "left"}
    assert list(recorded(source, THING)) == ["apple"]
