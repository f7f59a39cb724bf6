"""What cannot be said of a one-off charge."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from cloud.charges.values import TARGETS_MAX, Coverage, NewOneOff, Sharing
from common.civil import Period
from common.errors import RefusalError
from common.ids import ChargeItemId, CommunityId

LEVY = NewOneOff(
    charge_id=UUID(int=1),
    community_id=CommunityId(UUID(int=2)),
    charge_item_id=ChargeItemId(UUID(int=3)),
    name_zh="消杀",
    name_en="disinfection",
    sharing=Sharing.EACH,
    amount_fen=1,
    coverage=Coverage(),
    service=Period(date(2026, 3, 1), date(2026, 4, 1)),
    due_on=date(2026, 4, 15),
)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"amount_fen": 0}, "above zero"),
        ({"amount_fen": -5}, "above zero"),
        ({"name_zh": " "}, "both languages"),
        ({"name_en": "x" * 101}, "both languages"),
        ({"reference": "x" * 101}, "at most 100"),
    ],
)
def test_an_impossible_charge_cannot_be_said(changes: dict[str, object], says: str) -> None:
    with pytest.raises(RefusalError, match=says):
        replace(LEVY, **changes)  # type: ignore[arg-type]


def test_a_charge_names_a_bounded_count_of_targets() -> None:
    assert len(Coverage(groups=("g",) * TARGETS_MAX).groups) == TARGETS_MAX
    with pytest.raises(RefusalError, match="make a group"):
        Coverage(groups=("g",) * (TARGETS_MAX + 1))
