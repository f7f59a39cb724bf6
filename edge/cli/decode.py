"""`gatehouse edge decode`: what the bytes of a frame say, as JSON; a frame to refuse is refused with its reason.

One frame by `--protocol` and `--hex`, or a file of frames: JSON (a list of objects with `protocol` and `hex`, as the
published vectors are), or a line of hexadecimal each with one `--protocol` for all. The exit code is 1 when a frame
must not be used; a file is read to its end all the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from common.errors import RefusalError
from edge.protocol.description import DESCRIBERS, describe

FILE_BYTES_MOST = 20_000_000
FRAME_BYTES_MOST = 65_536
_SEPARATORS = re.compile(r"(0x|[\s,:;-])+", re.IGNORECASE)
_KEY = re.compile(r"[^a-z0-9一-鿿]+")
Frame = tuple[str, str]


def decode_frame(protocol: str, text: str) -> tuple[Mapping[str, object], bool]:
    """Return the frame in words, or why it is refused; and whether it may be used."""
    try:
        name = protocol_name(protocol)
        return {"protocol": name, "decoded": describe(name, frame_bytes(text))}, True
    except RefusalError as refusal:
        return {"protocol": protocol, "refused": str(refusal)}, False


def decode_text(frames: Iterable[Frame], *, many: bool) -> tuple[str, bool]:
    """Return the frames in words as JSON, and whether all of them may be used."""
    results = [decode_frame(protocol, text) for protocol, text in frames]
    described = [found for found, _ in results]
    text = json.dumps(described if many else described[0], ensure_ascii=False, indent=2)
    return f"{text}\n", all(usable for _, usable in results)


def protocol_name(text: str) -> str:
    """Return the protocol that a text means, whatever its case, dots and dashes.

    Raises:
        RefusalError: none is known by that name.
    """
    known = {_key(name): name for name in DESCRIBERS}
    if _key(text) not in known:
        raise RefusalError(f"protocol {text!r} is not known; choose one of {', '.join(sorted(DESCRIBERS))}")
    return known[_key(text)]


def frame_bytes(text: str) -> bytes:
    """Return the bytes of hexadecimal text, with or without blanks between them.

    Raises:
        RefusalError: it is none, or more than any frame.
    """
    plain = _SEPARATORS.sub("", text)
    if len(plain) > 2 * FRAME_BYTES_MOST:
        raise RefusalError(f"{len(plain) // 2} bytes are more than any frame has")
    if not plain or re.fullmatch(r"([0-9a-fA-F]{2})+", plain) is None:
        raise RefusalError(f"{text[:60]!r} is no hexadecimal text of whole bytes")
    return bytes.fromhex(plain)


def read_frames(path: Path, protocol: str | None) -> list[Frame]:
    """Return the frames of a file.

    Raises:
        RefusalError: the file cannot be read, or says of no frame which protocol it is.
    """
    try:
        if path.stat().st_size > FILE_BYTES_MOST:
            raise RefusalError(f"{path} is larger than {FILE_BYTES_MOST} bytes; split it")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise RefusalError(f"{path} cannot be read: {problem}") from problem
    frames = _from_json(text, protocol) if text.lstrip().startswith("[") else _from_lines(text, protocol)
    if not frames:
        raise RefusalError(f"{path} holds no frame; give a line of hexadecimal each, or JSON")
    return frames


def _from_json(text: str, protocol: str | None) -> list[Frame]:
    try:
        entries = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as problem:
        raise RefusalError(f"the file is no JSON: {problem}") from problem
    frames = []
    for number, entry in enumerate(entries):
        named = entry.get("protocol", protocol) if isinstance(entry, dict) else None
        if not isinstance(named, str) or not isinstance(entry.get("hex"), str):
            raise RefusalError(f"entry {number} has no `protocol` and `hex`; write both as text")
        frames.append((named, entry["hex"]))
    return frames


def _from_lines(text: str, protocol: str | None) -> list[Frame]:
    lines = [line for raw in text.splitlines() if (line := raw.partition("#")[0].strip())]
    if lines and protocol is None:
        raise RefusalError("the file says no protocol; add --protocol")
    return [(protocol or "", line) for line in lines]


def _key(name: str) -> str:
    return _KEY.sub("", name.lower())
