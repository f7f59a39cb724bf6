"""What the font cannot print is seen before printing and shown by its code."""

from __future__ import annotations

from cloud.documents.glyphs import font_paths, font_sha, printable, printed


def test_the_font_has_every_letter_that_the_papers_themselves_use() -> None:
    known = printable()
    for letter in "¥人民币壹贰叁肆伍陆柒捌玖拾佰仟万亿零元整角分–—·〓[U+]0123456789AZaz盖章":
        assert ord(letter) in known, letter


def test_a_rare_letter_of_a_name_is_shown_by_its_code_and_reported() -> None:
    missing: set[str] = set()
    assert printed({"name": "王𠮷", "rows": [["䶮"], 7]}, missing) == {"name": "王〓[U+20BB7]", "rows": [["䶮"], 7]}
    assert missing == {"𠮷"}


def test_line_breaks_and_tabs_in_data_become_spaces_and_are_no_fault() -> None:
    missing: set[str] = set()
    assert printed("a\nb\tc", missing) == "a b c"
    assert not missing


def test_a_letter_that_only_one_weight_has_counts_as_missing() -> None:
    missing: set[str] = set()
    assert printed("ab", missing, frozenset({ord("a")})) == "a〓[U+0062]"
    assert missing == {"b"}


def test_the_digest_of_the_font_is_over_both_of_its_files() -> None:
    assert len(font_paths()) == 2
    assert len(font_sha()) == 32
