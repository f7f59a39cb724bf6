"""Messages kept on disk: whole or not at all, none from the future, damage told."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from common.errors import RefusalError
from edge.driver import message_file
from edge.driver.message_book import Heard
from edge.driver.message_file import load_messages, save_messages
from tests.edge.driver.builders import NOON

SAID = [Heard(topic=f"a/{n}/电表", payload=bytes([n, 0xFF]), retained=False, at=NOON) for n in range(3)]


def test_messages_come_back_as_they_were(tmp_path: Path) -> None:
    save_messages(tmp_path / "deep" / "w1.json", SAID)

    assert load_messages(tmp_path / "deep" / "w1.json", NOON) == SAID


def test_the_newest_messages_take_the_place_of_those_before(tmp_path: Path) -> None:
    path = tmp_path / "w1.json"
    save_messages(path, SAID)
    save_messages(path, SAID[:1])

    assert load_messages(path, NOON) == SAID[:1]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["w1.json"]


def test_no_file_is_no_message(tmp_path: Path) -> None:
    assert load_messages(tmp_path / "none.json", NOON) == []


def test_messages_from_the_future_are_left_out(tmp_path: Path) -> None:
    save_messages(tmp_path / "w1.json", SAID)

    assert load_messages(tmp_path / "w1.json", NOON - timedelta(seconds=1)) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"{}x",
        b"[1]",
        b'[{"topic":"t"}]',
        b'[{"topic":"t","at":"yesterday","payload":""}]',
        b'[{"topic":"t","at":"2026-02-03T04:00:00","payload":""}]',
        b'[{"topic":"t","at":"2026-02-03T04:00:00+00:00","payload":"!"}]',
        b"[" * 100_000,
    ],
)
def test_a_damaged_file_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w1.json"
    path.write_bytes(content)

    with pytest.raises(RefusalError, match=r"damaged.*speak again"):
        load_messages(path, NOON)


def test_a_file_of_somebody_elses_is_not_read_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "w1.json"
    with path.open("wb") as file:
        file.truncate(message_file.FILE_BYTES_MOST + 1)

    with pytest.raises(RefusalError, match="larger"):
        load_messages(path, NOON)


def test_a_disk_that_refuses_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "w1.json"
    save_messages(path, SAID)
    (tmp_path / "w1.new").mkdir()

    with pytest.raises(OSError, match=r"w1\.new"):
        save_messages(path, [])

    assert load_messages(path, NOON) == SAID
