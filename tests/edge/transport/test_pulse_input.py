"""Opening the lines of a GPIO chip: what is no chip is a lost link that names path, lines and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.errors import InvariantError
from edge.transport import pulse_input
from edge.transport.line import LinkLostError
from edge.transport.pulse_input import open_pulse_lines


def test_the_request_has_the_size_that_the_kernels_number_states() -> None:
    assert pulse_input._REQUEST.size == pulse_input._GET_LINE >> 16 & 0x3FFF == 592
    assert pulse_input._GET_LINE & 0xFFFF == 0xB407


@pytest.mark.parametrize("path", ["/dev/null", "/dev/no-such-chip"])
def test_what_is_no_chip_is_a_lost_link(path: str) -> None:
    with pytest.raises(LinkLostError, match=rf"\[4, 17\] of {path}.*no other program"):
        open_pulse_lines(path, [17, 4])


def test_a_plain_file_is_no_chip_and_is_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")

    with pytest.raises(LinkLostError):
        open_pulse_lines(str(path), [0])

    assert path.read_bytes() == b"content"


@pytest.mark.parametrize("lines", [[], list(range(65))])
def test_no_line_or_too_many_is_our_own_mistake(lines: list[int]) -> None:
    with pytest.raises(InvariantError):
        open_pulse_lines("/dev/null", lines)
