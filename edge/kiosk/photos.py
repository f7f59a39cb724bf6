"""Photos of dials, taken with the phone at a comparison: small JPEG files in the gateway's folder, nothing else.

Invariants: a photo belongs to one comparison and goes when that register is compared anew; a file is whole or not
there; its size and their number are bounded. The page makes them small and without the place that a camera notes.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request

from common.clock import to_epoch_ms
from common.errors import RefusalError
from edge.kiosk.commissioning import Compared
from edge.kiosk.rendering import TOO_LARGE

PHOTO_BYTES_MAX = 100_000
PHOTOS_MAX = 1_000
JPEG = "image/jpeg"
Key = TypeVar("Key")
_JPEG_STARTS = b"\xff\xd8\xff"


class _Name(NamedTuple):
    register: str
    at_ms: str

    @classmethod
    def of(cls, compared: Compared) -> _Name:
        one = compared.comparison
        return cls(f"{one.meter_id}_{one.quantity}", str(to_epoch_ms(compared.at)))

    @property
    def file(self) -> str:
        return f"{self.register}.{self.at_ms}.jpg"


class DialPhotos:
    """The photos of one gateway."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def keep(self, compared: Compared, photo: bytes) -> None:
        """Keep the photo of a comparison in the place of any older one of the register.

        Raises:
            RefusalError: it is no JPEG, as many as may be are kept, or the disk refused.
        """
        if not photo.startswith(_JPEG_STARTS):
            raise RefusalError("this is no JPEG picture; take the photo with the phone's camera")
        try:
            await asyncio.to_thread(self._write, _Name.of(compared), photo)
        except OSError as error:
            raise RefusalError(
                f"the photo cannot be kept: {error.strerror}; look at the disk of the gateway"
            ) from error

    def of(self, compared: Compared) -> bytes | None:
        """Return the photo of a comparison, None without one."""
        try:
            return (self._folder / _Name.of(compared).file).read_bytes()
        except OSError:
            return None

    def have(self, compared: Mapping[Key, Compared]) -> frozenset[Key]:
        """Return for which of some comparisons there is a photo."""
        files = {path.name for path in self._folder.glob("*.jpg")}
        return frozenset(key for key, one in compared.items() if _Name.of(one).file in files)

    def _write(self, name: _Name, photo: bytes) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        kept = [path for path in self._folder.glob("*.jpg") if not path.name.startswith(f"{name.register}.")]
        if len(kept) >= PHOTOS_MAX:
            raise RefusalError(f"{PHOTOS_MAX} photos are kept already; print the report and clear {self._folder.name}/")
        aside = self._folder / f".{name.file}.new"
        with aside.open("wb") as file:
            file.write(photo)
            file.flush()
            os.fsync(file.fileno())
        for older in self._folder.glob(f"{name.register}.*.jpg"):
            older.unlink()
        aside.replace(self._folder / name.file)


async def read_photo(request: Request) -> bytes:
    """Return the body of a request; one past the bound is refused before it is read whole."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > PHOTO_BYTES_MAX:
            raise HTTPException(TOO_LARGE)
    return body
