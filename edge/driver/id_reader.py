"""A reader of Chinese identity cards (SAM-V) on a serial line: waits for a card, reads it once, forgets it.

    find (20 01) until a card lies there -> select (20 02) -> read text and photo (30 01)

Invariants: what is read is handed to the caller and kept nowhere; the photo is dropped unread; a number whose check
digit does not hold is refused, so a misread is never compared; every wait is bounded. People see `shown` only.
"""

from __future__ import annotations

import asyncio

from common.errors import RefusalError
from edge.protocol.id_card import DONE, FIND, FOUND, READ, SELECT, START, Identity, command, parse_identity, payload
from edge.transport.line import ByteLine

BAUD = 115_200
ANSWER_S_MOST = 2.0
LOOK_AGAIN_S = 0.3
FRAME_BYTES_MOST = 4_096
_LENGTH_BYTES = 2
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"
_LEADING, _TRAILING = 1, 2


class IdReader:
    """The owner of one reader's line."""

    def __init__(self, line: ByteLine) -> None:
        self._line = line

    async def read_card(self, patience_s: float) -> Identity:
        """Wait for a card and return its name and number.

        Raises:
            RefusalError: no card came, it was taken away too soon, or what was read is damaged.
            LinkLostError: the reader's line is gone.
        """
        await self._line.open()
        try:
            async with asyncio.timeout(patience_s):
                await self._wait_for_card()
        except TimeoutError as silence:
            raise RefusalError("no card was laid on the reader; hold it flat and still") from silence
        if not (await self._ask(SELECT)).startswith(DONE):
            raise RefusalError("the card was taken away too soon; hold it still until it is read")
        identity = parse_identity(await self._exchange(READ))
        if not check_digit_holds(identity.number):
            raise RefusalError("the number's check digit does not hold; read the card again")
        return identity

    async def close(self) -> None:
        """Release the line."""
        await self._line.close()

    async def _wait_for_card(self) -> None:
        while True:
            said = await self._ask(FIND)
            if said.startswith(FOUND):
                return
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _ask(self, parts: bytes) -> bytes:
        return payload(await self._exchange(parts))

    async def _exchange(self, parts: bytes) -> bytes:
        """Return the frame that answers a command, cut by its own length."""
        self._line.drop_input()
        await self._line.write(command(parts))
        received = bytearray()
        try:
            async with asyncio.timeout(ANSWER_S_MOST):
                while (missing := _missing(received)) > 0:
                    received += await self._line.read(ANSWER_S_MOST)
        except TimeoutError as silence:
            raise RefusalError(
                f"the reader does not answer in whole; check cable and speed ({BAUD}, 8 bits, no parity)"
            ) from silence
        start = received.find(START)
        return bytes(received[start : len(received) + missing])


def shown(identity: Identity) -> tuple[str, str]:
    """Return name and number as people may see them: the first letter, and the last two digits."""
    name, number = identity.name, identity.number
    return name[:_LEADING] + "*" * (len(name) - _LEADING), "*" * (len(number) - _TRAILING) + number[-_TRAILING:]


def check_digit_holds(number: str) -> bool:
    """Return whether the last sign of an identity number is the one that GB 11643 makes of the others."""
    digits, sign = number[:-1], number[-1:].upper()
    if len(digits) != len(_WEIGHTS) or not (digits.isascii() and digits.isdigit()):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True))
    return _CHECK_DIGITS[total % len(_CHECK_DIGITS)] == sign


def _missing(received: bytearray) -> int:
    """Return how many bytes the first frame still lacks; a negative count is what stands behind it."""
    start = received.find(START)
    head = start + len(START) + _LENGTH_BYTES
    if start < 0 or len(received) < head:
        return 1 if len(received) < FRAME_BYTES_MOST else 0
    return head + int.from_bytes(received[head - _LENGTH_BYTES : head]) - len(received)
