"""Frames of LED and voice boards: the captured ones are made byte for byte, damaged ones are refused."""

from __future__ import annotations

import pytest

from common.errors import RefusalError
from edge.protocol.boards import describe_led_64, describe_led_aa55, line_frame, show_frame, speak_frame

SPEAK = bytes.fromhex("0064ffff301401bbb6d3adb9e2c1d92cc7ebc8ebb3a1cda3b3b5a936")
SHOW = bytes.fromhex("0064ffff3f104000000048656c6c6f20776f726c6421ea28")
LINE = bytes.fromhex("aa5505640027000c01000100d5fdd4dacfb4b3b54274af")


def test_the_captured_frames_are_made_byte_for_byte() -> None:
    assert speak_frame("欢迎光临,请入场停车") == SPEAK
    assert show_frame("Hello world!") == SHOW
    assert line_frame(1, "正在洗车", 5) == LINE


@pytest.mark.parametrize("at", range(len(SPEAK)))
def test_a_damaged_frame_of_the_64_family_is_refused(at: int) -> None:
    damaged = SPEAK[:at] + bytes([SPEAK[at] ^ 0x11]) + SPEAK[at + 1 :]
    with pytest.raises(RefusalError):
        describe_led_64(damaged)


@pytest.mark.parametrize("at", range(len(LINE)))
def test_a_damaged_frame_of_the_aa55_family_is_refused(at: int) -> None:
    damaged = LINE[:at] + bytes([LINE[at] ^ 0x11]) + LINE[at + 1 :]
    with pytest.raises(RefusalError):
        describe_led_aa55(damaged)


@pytest.mark.parametrize("short", [b"", b"\x00", SPEAK[:5], LINE[:7]])
def test_a_cut_frame_is_refused(short: bytes) -> None:
    with pytest.raises(RefusalError):
        describe_led_64(short)
    with pytest.raises(RefusalError):
        describe_led_aa55(short)


def test_text_beyond_gbk_and_beyond_the_frame_is_cut_not_failed() -> None:
    assert describe_led_64(show_frame("\N{EURO SIGN}\U0001f697"))["text_gbk"] in {"€?", "??"}
    assert len(speak_frame("停" * 500)) <= 6 + 255 + 2
