"""Codes in words."""

from __future__ import annotations

from cloud.web.manager_words import worded


def test_a_code_without_words_is_shown_and_not_hidden() -> None:
    words = worded({"leak": ("漏水", "Leak")})
    assert words("leak") == ("漏水", "Leak")
    assert words("something_new") == ("something_new", "")
