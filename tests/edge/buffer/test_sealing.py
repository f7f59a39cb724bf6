"""A batch is kept only for the very rows and the very place in the chain it was made for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edge.buffer import rows, sealing
from edge.buffer.opening import Opened, open_file
from edge.buffer.records import Lane
from edge.buffer.state import WriterState
from tests.edge.builders import HandClock, OpenSealer, counted, sample


class Bench:
    """An open file with two samples in it, and no thread."""

    def __init__(self, opened: Opened) -> None:
        clock = HandClock()
        self.connection, self.sealer = opened.connection, OpenSealer()
        self.state = WriterState(self.connection, clock.look, clock.boot_id)
        self.state.begin_boot(self.connection)
        rows.keep_time(self.connection, self.state, clock.look())
        for number in (1, 2):
            self.put(number)

    def put(self, number: int) -> None:
        rows.put_sample(self.connection, self.state, sample(number, 1000, 5_000))

    def draft(self) -> sealing.Draft:
        draft = sealing.gather(self.connection, self.state, (Lane.MEASURE,))
        assert draft is not None
        return draft

    def keep(self, draft: sealing.Draft) -> None:
        sealing.keep(self.connection, self.state, draft, self.sealer(sealing.material_of(draft)))

    def count(self) -> tuple[int, int]:
        """Return the counts of readings that wait and of batches."""
        counts = "SELECT (SELECT count(*) FROM reading), (SELECT count(*) FROM batch)"
        readings, batches = self.connection.execute(counts).fetchone()
        return readings, batches


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    opened = open_file(tmp_path / "store.db", counted, 10_000)
    with opened.lock, closing(opened.connection):
        yield Bench(opened)


def test_what_came_after_the_draft_waits_for_the_next_batch(bench: Bench) -> None:
    draft = bench.draft()
    bench.put(3)
    bench.keep(draft)
    assert bench.count() == (1, 1)
    bench.keep(bench.draft())
    assert [len(material.readings) for material in bench.sealer.materials] == [2, 1]
    chained = bench.connection.execute("SELECT digest FROM batch ORDER BY number").fetchone()[0]
    assert bench.sealer.materials[1].previous_hash == chained


def test_a_draft_whose_rows_were_shed_is_refused(bench: Bench) -> None:
    draft = bench.draft()
    bench.connection.execute("DELETE FROM reading WHERE seq = (SELECT min(seq) FROM reading)")
    with pytest.raises(sealing.StaleDraftError, match="shed"):
        bench.keep(draft)


def test_a_draft_whose_number_was_taken_is_refused(bench: Bench) -> None:
    first, second = bench.draft(), bench.draft()
    bench.keep(first)
    with pytest.raises(sealing.StaleDraftError, match="somebody else"):
        bench.keep(second)
    assert bench.count() == (0, 1)


def test_an_anchor_that_came_after_the_draft_goes_with_the_next_batch(bench: Bench) -> None:
    draft = bench.draft()
    rows.receive_time(bench.connection, bench.state, 1_800_000_000_000, 5)
    bench.put(3)
    bench.keep(draft)
    after = bench.draft()
    assert (len(draft.anchors), len(after.anchors)) == (1, 1)
    assert draft.anchors != after.anchors
