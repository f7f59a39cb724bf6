"""The last messages of a broker's meters on disk, so that a restart forgets nothing that was heard.

A radio meter may speak once a day; what it said before a restart is still its reading for the next slot. The file is
written whole beside the old one and put in its place; a damaged one is told and left out, and the meters are silent
until they speak again. Calls block; the wire makes them in a thread.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from common.errors import RefusalError
from edge.driver.message_book import Heard

FILE_BYTES_MOST = 64 * 1024 * 1024


def save_messages(path: Path, messages: Iterable[Heard]) -> None:
    """Write messages in the place of those before.

    Raises:
        OSError: the disk refuses; the old file stays.
    """
    entries = [
        {"topic": one.topic, "at": one.at.isoformat(), "payload": base64.b64encode(one.payload).decode()}
        for one in messages
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    with beside.open("w", encoding="utf-8") as file:
        json.dump(entries, file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def load_messages(path: Path, now: datetime) -> list[Heard]:
    """Return the messages of a file that is not from the future; none when there is no file.

    Raises:
        RefusalError: the file is damaged or too large.
    """
    try:
        if path.stat().st_size > FILE_BYTES_MOST:
            raise RefusalError(f"{path} is larger than {FILE_BYTES_MOST} bytes; remove it")
        entries = json.loads(path.read_text(encoding="utf-8"))
        heard = [_heard(entry) for entry in entries]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise RefusalError(f"{path} is damaged ({problem}); remove it, the meters will speak again") from problem
    return [one for one in heard if one.at <= now]


def _heard(entry: dict[str, str]) -> Heard:
    at = datetime.fromisoformat(entry["at"])
    if at.tzinfo is None:
        raise ValueError("an instant without its zone")
    try:
        payload = base64.b64decode(entry["payload"], validate=True)
    except binascii.Error as problem:
        raise ValueError("a payload that is not base64") from problem
    return Heard(topic=str(entry["topic"]), payload=payload, retained=False, at=at)
