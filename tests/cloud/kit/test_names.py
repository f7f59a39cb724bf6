"""Names are sorted as people expect."""

from __future__ import annotations

from cloud.kit.names import sort_key


def test_names_are_sorted_by_pinyin_and_numbers_by_value() -> None:
    names = ["10栋", "2栋", "王五", "李四", "张三", "Anna", "1-2-1001", "1-2-301", "1-10-101"]
    expected = ["1-2-301", "1-2-1001", "1-10-101", "2栋", "10栋", "Anna", "李四", "王五", "张三"]
    assert sorted(names, key=sort_key) == expected


def test_case_and_surrounding_space_do_not_matter() -> None:
    assert sort_key("  Anna ") == sort_key("anna")
