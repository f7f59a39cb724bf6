"""Session rules as written: what is left out, and the least that may be written."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest

from common.errors import FaultsError
from common.tariff.document import parse_tariff
from common.tariff.model import Days, TimeSpan, Words
from common.tariff.session_model import (
    Block,
    Cut,
    FreeLimit,
    FreeTime,
    Gather,
    SessionRule,
    SessionWindow,
    UnitRounding,
    Visits,
)
from tests.common.tariff.builders import body

BLOCKS = [{"every": 60, "price": "5"}]


def rule_of(**fields: Any) -> SessionRule:
    rule = parse_tariff(body(session={"blocks": BLOCKS, **fields} if "windows" not in fields else fields)).plans[0].rule
    assert isinstance(rule, SessionRule)
    return rule


def test_what_a_session_leaves_out_is_nothing() -> None:
    window = SessionWindow(
        name="all_day",
        label=Words(zh="停车", en="parking"),
        spans=(TimeSpan(start=time(), end=time()),),
        days=Days(),
        blocks=(Block(minutes=None, every=60, price_micro=5_000_000),),
    )
    rule = rule_of()
    assert rule == SessionRule(
        windows=(window,),
        cut=Cut.NEVER,
        gather=Gather.RUN,
        rounding=UnitRounding.STARTED,
        free=None,
        visits=Visits.SEPARATE,
        count_seconds=False,
        restart_blocks=True,
    )
    assert rule.count_seconds is False
    named = rule_of(windows=[{"name": "all", "times": ["00:00-24:00"], "blocks": BLOCKS}]).windows[0]
    assert (named.most_minutes, named.most_of, named.once_micro, named.cap_micro) == (0, 0, None, None)


def test_free_time_that_says_no_more_is_free_up_to_its_minutes_once_a_stay() -> None:
    free = rule_of(free={"minutes": 1}).free
    assert free == FreeTime(minutes=1, limit=FreeLimit.UP_TO, deducted=False, each_part=False)
    assert free is not None
    assert free.deducted is False
    assert free.each_part is False


MINUTES = ("allowance_minutes", "tail_minutes", "short_stay_minutes", "rejoin_minutes", "exit_grace_minutes")


@pytest.mark.parametrize("field", MINUTES)
def test_minutes_may_be_none_and_never_less(field: str) -> None:
    assert getattr(rule_of(**{field: 0}), field) == 0
    with pytest.raises(FaultsError, match=rf"session\.{field}: -1 is out of range; use 0 to 527040"):
        rule_of(**{field: -1})


def test_the_shortest_free_time_block_and_share_of_an_hour_are_of_a_minute() -> None:
    blocks = [{"minutes": 1, "every": 1, "price": "1"}, *BLOCKS]
    assert rule_of(blocks=blocks).windows[0].blocks[0] == Block(minutes=1, every=1, price_micro=1_000_000)
    window = {"name": "all", "times": ["00:00-24:00"], "blocks": BLOCKS, "most": {"minutes": 1, "of": 1}}
    read = rule_of(windows=[window]).windows[0]
    assert (read.most_minutes, read.most_of) == (1, 1)


def test_caps_of_two_days_may_be_equal() -> None:
    assert rule_of(cut="calendar_day", day_caps=["20", "20"]).part_caps_micro == (20_000_000, 20_000_000)
