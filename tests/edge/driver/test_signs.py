"""A sign becomes the frames of the board behind the camera."""

from __future__ import annotations

from edge.driver.signs import BoardFamily, Sign, board_frames
from edge.protocol.boards import describe_led_64, describe_led_aa55

SIGN = Sign(lines=("京A12345", "欢迎光临"), voice="欢迎光临")


def test_a_board_of_the_64_family_shows_all_lines_and_speaks() -> None:
    shown, spoken = (describe_led_64(frame) for frame in board_frames(BoardFamily.LED_64, SIGN))
    assert shown["text_gbk"] == "京A12345 欢迎光临"
    assert (spoken["text_gbk"], spoken["meaning"]) == ("欢迎光临", "speak text")


def test_a_board_of_the_aa55_family_shows_line_by_line() -> None:
    frames = [describe_led_aa55(frame) for frame in board_frames(BoardFamily.LED_AA55, SIGN)]
    assert [(frame["line"], frame["text_gbk"]) for frame in frames] == [(1, "京A12345"), (2, "欢迎光临")]
