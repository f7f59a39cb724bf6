"""Amounts, shares and personal data look as they must on every page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from cloud.web.rendering import (
    age,
    environment,
    instant,
    mask_name,
    mask_phone,
    mask_plate,
    percent,
    say,
    script_json,
    yuan,
)


@pytest.mark.parametrize(
    ("fen", "text"),
    [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (100_000, "1,000.00"), (-123_456_789, "-1,234,567.89")],
)
def test_fen_are_shown_as_grouped_yuan(fen: int, text: str) -> None:
    assert yuan(fen) == text


@given(st.integers(-(10**15), 10**15))
def test_a_shown_amount_can_be_read_back(fen: int) -> None:
    assert int(yuan(fen).replace(",", "").replace(".", "")) == fen


@pytest.mark.parametrize(("part", "whole", "text"), [(1, 3, "33.33%"), (99_999, 100_000, "99.99%"), (7, 7, "100.00%")])
def test_a_hundred_per_cent_means_all_of_it(part: int, whole: int, text: str) -> None:
    assert percent(part, whole) == text


def test_a_share_of_nothing_is_no_figure() -> None:
    assert percent(0, 0) == "—"


def test_both_languages_stand_side_by_side_and_are_escaped() -> None:
    assert say("账单", "Bill <1>") == '<span lang="zh">账单</span> <span class="en" lang="en">Bill &lt;1&gt;</span>'


def test_instants_are_shown_in_the_zone_of_the_community() -> None:
    assert instant(datetime(2026, 2, 28, 16, 5, tzinfo=UTC)) == "2026-03-01 00:05"


@pytest.mark.parametrize(("span", "text"), [(timedelta(hours=5), "5 小时 h"), (timedelta(days=3), "3 天 d")])
def test_ages_are_shown_in_days_or_hours(span: timedelta, text: str) -> None:
    assert age(span) == text


def test_personal_data_is_masked() -> None:
    assert mask_phone("13812341234") == "138****1234"
    assert mask_phone("110") == "***"
    assert mask_name("张三丰") == "张**"
    assert mask_plate("京A12345") == "京A·***45"


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_inside_a_page_can_never_end_its_element(value: object) -> None:
    assert not set("<>&") & set(script_json(value))


def test_a_page_that_names_an_unknown_value_fails_loudly() -> None:
    with pytest.raises(UndefinedError):
        environment().from_string("{{ nobody }}").render()
