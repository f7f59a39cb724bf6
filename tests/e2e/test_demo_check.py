"""`make demo-check` can fail: the story is told once, then a copy of its stores is broken once per row, which goes red.

A story that `make demo-check` told already, in `.demo/check`, is used as it lies there; nothing of it is changed.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from cloud.house import DATABASE_NAME
from cloud.kit.postgres import SUPERUSER, EmbeddedPostgres
from cloud.kit.roles import APP
from tests.e2e.breaks import BREAKS, Break
from tests.simulation import demo, plan, report
from tests.simulation.house import House
from tests.simulation.processes import Process
from tests.simulation.promises import COMPARISONS, Row, Stores, compare, compare_one, exchanges_over_wires
from tests.simulation.site import compose
from tests.simulation.story import Story

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
COMPARISON_SECONDS_MAX = 5.0
_COPY = "broken_copy"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which the story was told."""
    told = demo.FOLDER / "check"
    story = told / "story.json"
    if story.exists() and json.loads(story.read_text(encoding="utf-8")).get("told"):
        return told.absolute()
    fresh = tmp_path_factory.mktemp("house")
    house = House(fresh, demo.SEED, wrong=plan.wrong_readings(compose(demo.SEED)))
    try:
        house.start(print, visits=plan.visits(house.site), faults=plan.faults(house.site), dense=[plan.DENSE_DAY])
        story_teller = Story(house, print)
        try:
            story_teller.tell()
        finally:
            story_teller.close()
    finally:
        house.stop()
    return fresh


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(folder / "cloud" / "database").hold() as held:
        yield held


@pytest.fixture(scope="module")
def stores(folder: Path, server: EmbeddedPostgres) -> Stores:
    return _stores(server, DATABASE_NAME, folder)


@pytest.fixture(scope="module")
def compared(stores: Stores) -> dict[str, tuple[Row, float]]:
    """Return every row, compared by itself, with the seconds of the processor that it took."""
    told = {}
    for comparison in COMPARISONS:
        before = time.process_time()
        row = compare_one(stores, comparison.key)
        told[row.key] = (row, time.process_time() - before)
    return told


def _stores(server: EmbeddedPostgres, database: str, folder: Path) -> Stores:
    return Stores(
        conninfo=server.conninfo(role=SUPERUSER, database=database),
        company_conninfo=server.conninfo(role=APP, database=database),
        folder=folder,
    )


@contextmanager
def _copied(server: EmbeddedPostgres, stores: Stores, place: Path) -> Iterator[Stores]:
    """Copy the database and the files beside it, and drop the copy of the database afterwards."""
    leave_out = shutil.ignore_patterns("cloud", "logs", "*.tty")
    copied = shutil.copytree(stores.folder, place, ignore=leave_out, dirs_exist_ok=True)
    server.drop_database(_COPY)
    server.create_database(_COPY, template=DATABASE_NAME)
    try:
        yield _stores(server, _COPY, copied)
    finally:
        server.drop_database(_COPY)


def test_every_promise_holds_before_anything_is_broken(compared: dict[str, tuple[Row, float]]) -> None:
    assert {row.key: (row.left, row.right, row.faults) for row, _ in compared.values() if not row.passed} == {}


def test_each_comparison_takes_less_than_five_seconds_of_the_processor(compared: dict[str, tuple[Row, float]]) -> None:
    assert {key: taken_s for key, (_, taken_s) in compared.items() if taken_s > COMPARISON_SECONDS_MAX} == {}


def test_the_rows_are_the_ten_promises_and_the_claims_of_the_story() -> None:
    assert {comparison.promise for comparison in COMPARISONS} == {None, *range(1, 11)}
    assert {one.key for one in BREAKS} == {comparison.key for comparison in COMPARISONS}


@pytest.mark.parametrize("broken", BREAKS, ids=[f"{one.key}: {one.what}" for one in BREAKS])
def test_a_broken_store_turns_its_row_red(
    broken: Break, stores: Stores, server: EmbeddedPostgres, tmp_path: Path
) -> None:
    with _copied(server, stores, tmp_path) as copy:
        broken.act(copy)
        row = compare_one(copy, broken.key)
    assert not row.passed


def test_the_report_says_what_was_compared_and_its_exit_code_says_all(
    stores: Stores, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = compare(stores)
    path = tmp_path / "report.json"
    process = Process(name="g1", command=[], log=tmp_path / "log", peak_kib=90 * 1024)
    exchanges = exchanges_over_wires(stores)
    code = report.write(path, rows, exchanges_over_wires=exchanges, wall_s=1.25, processes=[process])
    told = json.loads(path.read_text(encoding="utf-8"))
    assert (code, told["passed"], told["peak_memory_mib"]) == (0, True, {"g1": 90})
    assert [row["promise"] for row in told["rows"]] == [row.promise for row in rows]
    assert told["exchanges_over_wires"] == exchanges > 0
    assert "对账到分" in capsys.readouterr().out


def test_a_row_without_anything_to_compare_does_not_pass(compared: dict[str, tuple[Row, float]]) -> None:
    row, _ = compared["nothing_lost"]
    assert replace(row, left=1, right=1, faults=()).passed
    assert not replace(row, left=0, right=0, faults=()).passed
    assert not replace(row, left=2, right=1, faults=()).passed
    assert not replace(row, left=1, right=1, faults=("something",)).passed
