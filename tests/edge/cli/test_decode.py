"""`gatehouse edge decode`: every published frame through the command, one by one and as files, and its bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from common.errors import RefusalError
from edge.cli.decode import FILE_BYTES_MOST, FRAME_BYTES_MOST, frame_bytes, protocol_name, read_frames
from edge.cli.main import main
from edge.protocol.description import DESCRIBERS
from tests.conformance.vectors import METER_VECTORS, REMARKS, SITE_VECTORS, covers

VECTORS = METER_VECTORS + SITE_VECTORS
# Two sources name their plate by where it was printed, not by its kind.
NAMED_BY_SOURCE = frozenset({"plate-003", "plate-004"})
GOOD = "10 40 00 40 16"


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_the_command_says_of_a_published_frame_what_its_source_says(
    vector: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["decode", "--protocol", vector["protocol"], "--hex", vector["hex"]])

    found = json.loads(capsys.readouterr().out)
    assert found["protocol"] == vector["protocol"]
    if vector["expect"] == "accept":
        free = REMARKS | ({"kind"} if vector["id"] in NAMED_BY_SOURCE else set())
        expected = {key: value for key, value in vector["decoded"].items() if key not in free}
        assert code == 0
        assert covers(found["decoded"], expected), found
    else:
        assert code == 1
        assert found["refused"]


def test_every_protocol_of_the_published_vectors_is_read() -> None:
    assert {vector["protocol"] for vector in VECTORS} <= set(DESCRIBERS)


def test_a_file_of_vectors_is_decoded_to_its_end_and_says_that_one_was_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "frames.json"
    path.write_text(json.dumps(METER_VECTORS), encoding="utf-8")

    code = main(["decode", "--file", str(path)])

    found = json.loads(capsys.readouterr().out)
    assert code == 1
    assert len(found) == len(METER_VECTORS)
    assert ["refused" in one for one in found] == [one["expect"] != "accept" for one in METER_VECTORS]


def test_a_file_of_lines_takes_one_protocol_for_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "frames.txt"
    path.write_text(f"# from the line of building 3\n{GOOD}\n\ne5  # answered\n", encoding="utf-8")

    code = main(["decode", "--protocol", "mbus", "--file", str(path)])

    assert code == 0
    assert [one["decoded"]["frame"] for one in json.loads(capsys.readouterr().out)] == ["short", "single character"]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("m-bus", "M-Bus"),
        ("dl/t645-2007", "DL/T645-2007"),
        ("DLT645-1997", "DL/T645-1997"),
        ("cjt188", "CJ/T188"),
        ("modbus rtu", "Modbus-RTU"),
    ],
)
def test_a_protocol_is_known_whatever_its_case_and_dashes(given: str, name: str) -> None:
    assert protocol_name(given) == name


def test_a_protocol_that_nobody_knows_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "--protocol", "profibus", "--hex", "00"]) == 1
    assert "CJ/T188" in json.loads(capsys.readouterr().out)["refused"]


@pytest.mark.parametrize("text", ["", "0", "zz", "10 40 0", "0x", "0" * (2 * FRAME_BYTES_MOST + 2)])
def test_text_that_is_no_frame_is_refused(text: str) -> None:
    with pytest.raises(RefusalError):
        frame_bytes(text)


def test_blanks_commas_and_prefixes_between_bytes_mean_nothing() -> None:
    assert frame_bytes("0x10, 0x40;00-40:16") == frame_bytes(GOOD) == bytes.fromhex("1040004016")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "holds no frame"),
        ("# nothing\n", "holds no frame"),
        ("[]", "holds no frame"),
        ("[", "no JSON"),
        ('[{"hex":"e5"}]', "no `protocol` and `hex`"),
        ('[{"protocol":"M-Bus","hex":5}]', "no `protocol` and `hex`"),
        ("[1]", "no `protocol` and `hex`"),
        ("e5\n", "says no protocol"),
    ],
)
def test_a_file_that_says_too_little_is_refused(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "frames"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(RefusalError, match=reason):
        read_frames(path, None)


def test_a_file_that_is_missing_binary_or_huge_is_refused(tmp_path: Path) -> None:
    binary, huge = tmp_path / "binary", tmp_path / "huge"
    binary.write_bytes(b"\xff\xfe\x00")
    with huge.open("wb") as file:
        file.truncate(FILE_BYTES_MOST + 1)

    for path, reason in ((tmp_path / "none", "cannot be read"), (binary, "cannot be read"), (huge, "larger")):
        with pytest.raises(RefusalError, match=reason):
            read_frames(path, "M-Bus")


def test_a_frame_without_its_protocol_is_not_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "--hex", "e5"]) == 1
    assert "--protocol" in capsys.readouterr().err
