"""Bills by pattern: households with the same lines share one, numbers follow the households, totals are sums."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cloud.billing.column_bills import GROUPS_MAX, nets_of, patterns
from cloud.billing.lines import net_of
from common.errors import InvariantError
from tests.cloud.rating.test_column_inputs import common, energy


def test_households_with_the_same_lines_form_a_pattern_and_the_others_have_no_bill() -> None:
    one = replace(energy(), rows=np.array([0, 2]), fen=np.array([10, 20]), price_micro=np.array([5, 5]))
    other = replace(common(), rows=np.array([2, 3]), fen=np.array([0, 7]), price_micro=np.array([-1, -1]))
    found = {tuple(pattern.homes.tolist()): pattern for pattern in patterns([one, other], 5)}
    assert set(found) == {(0,), (2,), (3,)}
    assert {homes: pattern.bills.tolist() for homes, pattern in found.items()} == {(0,): [0], (2,): [1], (3,): [2]}
    assert {homes: pattern.total_fen.tolist() for homes, pattern in found.items()} == {
        (0,): [10],
        (2,): [20],
        (3,): [7],
    }
    both = found[2,]
    assert [(line.n, line.priced, line.moves) for line in both.lines] == [(1, True, True), (2, False, False)]
    assert [(line.n, line.moves) for line in found[3,].lines] == [(1, True)]


def test_a_run_of_too_many_charges_is_refused() -> None:
    with pytest.raises(InvariantError, match="at most"):
        patterns([energy()] * (GROUPS_MAX + 1), 3)


@pytest.mark.parametrize("rate_micro", [0, 30_000, 60_000, 130_000])
def test_net_amounts_by_column_are_those_by_value(rate_micro: int) -> None:
    fen = [0, 1, 2, 53, 106, 10_007, 2**40, 2**52]
    assert nets_of(np.array(fen, dtype=np.int64), rate_micro).tolist() == [net_of(one, rate_micro) for one in fen]
