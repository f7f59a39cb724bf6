"""Suspense by age: a line grows older by the day and falls into the next class."""

from __future__ import annotations

from tests.cloud.payments.counter import Counter
from tests.cloud.reconciliation.test_transfers import bank_of, coded, imported, waiting


async def test_a_line_grows_older_and_keeps_its_place(counter: Counter) -> None:
    await counter.bill(0, 1, 1)
    counter.office.clock.advance(days=40)
    await imported(counter, await bank_of(counter), await coded(counter))
    first = (await waiting(counter))[1]
    counter.office.clock.advance(days=91)
    later = (await waiting(counter))[1]
    assert later.bank_line_id == first.bank_line_id
    assert (later.age_days - first.age_days, later.age_class) == (91, 3)
    assert later.memo == "1-1-002 三月"
