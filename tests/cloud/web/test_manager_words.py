"""Codes in words."""

from __future__ import annotations

from cloud.web.manager_words import CASE_REASONS, worded
from common.reading.anomaly import Rule


def test_a_code_without_words_is_shown_and_not_hidden() -> None:
    words = worded({"leak": ("漏水", "Leak")})
    assert words("leak") == ("漏水", "Leak")
    assert words("something_new") == ("something_new", "")


def test_every_rule_by_which_a_gateway_finds_something_odd_has_words() -> None:
    assert {rule.value for rule in Rule} <= CASE_REASONS.keys()
