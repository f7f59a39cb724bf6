"""Receipts as bytes: Chinese takes two columns, figures keep to the edge, the yen sign is the one printers know."""

from __future__ import annotations

import pytest

from edge.protocol.escpos import CUT, START, Line, Readiness, encoded, readiness, receipt, width_of


def test_the_yen_sign_is_two_bytes_that_print() -> None:
    assert encoded("\N{YEN SIGN}12.30") == b"\xa3\xa412.30"


def test_a_figure_keeps_to_the_right_edge_and_long_text_is_folded() -> None:
    data = receipt([Line(text="公共能耗分摊与电梯运行维护专项费用", right="\N{YEN SIGN}1234.56")])
    lines = [part for part in data.decode("gb18030", errors="ignore").split("\n") if "1234.56" in part]
    assert len(lines) == 1
    assert data.startswith(START)
    assert data.endswith(CUT)
    assert width_of("电费12") == 6


@pytest.mark.parametrize(
    ("cover", "paper", "state"),
    [
        (b"\x12", b"\x12", Readiness.READY),
        (b"\x16", b"\x12", Readiness.COVER_OPEN),
        (b"\x12", b"\x72", Readiness.NO_PAPER),
        (b"", b"\x12", Readiness.SILENT),
        (b"\xff", b"\x12", Readiness.SILENT),
    ],
)
def test_status_bytes_say_whether_it_can_print(cover: bytes, paper: bytes, state: Readiness) -> None:
    assert readiness(cover, paper) is state


def test_what_cannot_be_printed_is_a_question_mark_and_a_code_is_bounded() -> None:
    assert len(receipt([], "x" * 10_000)) < 900
    assert encoded("\ud800") == b"?"
