"""The flow is whole: whatever an event or a schedule asks for, somebody does."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import cloud
from cloud import flow
from cloud.kit.db import Database
from cloud.kit.events import Event
from tests.support import api

NAMED_BUT_UNKNOWN = """
import cloud.api, cloud.worker
from cloud.kit.tables import metadata
keys = [key for table in metadata.tables.values() for key in table.foreign_keys]
print(*{key.target_fullname.rpartition(".")[0] for key in keys} - set(metadata.tables))
"""


def events(kind: type[Event] = Event) -> Iterator[type[Event]]:
    for derived in kind.__subclasses__():
        if derived.__module__.startswith("cloud."):
            yield derived
        yield from events(derived)


@pytest.fixture
async def kinds(database: Database, tmp_path: Path) -> set[str]:
    async with api.running_services(database, tmp_path) as services:
        return set(flow.handlers(services))


def kinds_in_source() -> set[str]:
    """Every kind of job that a `NewJob(kind=...)` in the product names by a constant of its module."""
    found = set()
    for path in Path(cloud.__path__[0]).rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = {
            node.targets[0].id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "NewJob":
                given = {word.arg: word.value for word in node.keywords}["kind"]
                if isinstance(given, ast.Name) and given.id in constants:
                    found.add(str(constants[given.id]))
    return found


async def test_every_schedule_and_every_kind_of_job_has_a_handler(kinds: set[str]) -> None:
    assert {schedule.kind for schedule in flow.SCHEDULES} <= kinds
    named = kinds_in_source()
    assert len(named) > 5
    assert named <= kinds


def test_schedules_have_names_of_their_own() -> None:
    names = [schedule.name for schedule in flow.SCHEDULES]
    assert len(set(names)) == len(names)


def test_only_events_of_the_house_are_routed() -> None:
    assert set(flow.ROUTES) <= set(events())


def test_a_process_knows_every_table_that_the_keys_of_its_tables_name() -> None:
    """In a process of its own, because tests load more than the API and the worker do."""
    found = subprocess.run([sys.executable, "-c", NAMED_BUT_UNKNOWN], capture_output=True, text=True, check=True)  # noqa: S603 - this interpreter, our own words
    assert found.stdout.split() == []
