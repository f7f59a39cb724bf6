"""The gates of the payments bench can fail, and its figures are what they say."""

from __future__ import annotations

import pytest

from cloud.payments.channels.wechat.trade_bill import read_trade_bill
from tests.bench.payments import Measure, _bill, percentile


@pytest.mark.parametrize(("value", "passed"), [(3.0, True), (3.01, False)])
def test_a_gate_fails_when_its_limit_is_broken(value: float, passed: bool) -> None:  # noqa: FBT001 - a column
    assert Measure("x", value, "x", 3.0).passed is passed


def test_a_percentile_is_the_value_that_so_many_do_not_exceed() -> None:
    values = [float(n) for n in range(1, 101)]
    assert (percentile(values, 0.5), percentile(values, 0.99), percentile([7.0], 0.99)) == (51.0, 100.0, 7.0)


def test_the_bill_of_the_bench_is_a_true_one() -> None:
    assert len(read_trade_bill(_bill("1900000109", "wx", 2_000), "1900000109").rows) == 2_000
