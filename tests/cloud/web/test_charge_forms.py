"""What the forms of charges say, and what they refuse."""

from __future__ import annotations

from datetime import date

import pytest

from cloud.kit.errors import MalformedError
from cloud.tariffs.assignment import TargetKind
from cloud.web.charge_forms import coverage_of, day_of, fen_of


def test_amounts_are_read_to_the_fen() -> None:
    assert [fen_of(text) for text in ("0.01", " 12 ", "1234.5")] == [1, 1_200, 123_450]


@pytest.mark.parametrize("text", ["", "1,000", "1e3", "1.001", "一元"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(MalformedError, match="write yuan"):
        fen_of(text)


def test_an_empty_day_is_no_day_and_a_wrong_one_is_refused() -> None:
    assert (day_of(" "), day_of("2026-05-01")) == (None, date(2026, 5, 1))
    with pytest.raises(MalformedError, match="2026-05-01"):
        day_of("1 May")


def test_no_building_means_everybody() -> None:
    assert coverage_of("").targets == ()
    assert [target.kind for target in coverage_of("b").targets] == [TargetKind.BUILDING]
