"""The kiosk's voice: sentences of our own pages, spoken by a program of its own that is started for each.

The synthesiser is eSpeak NG, whose licence its own process keeps apart from ours (deploy/decisions): this module never
loads it. Only sentences that a page has shown can be asked for, by a key; what was spoken is kept for a while.
When the voice is missing or fails, the page says so and works on.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections import OrderedDict

import structlog

SPEAK_S_MOST = 8.0
TEXT_MOST = 300
SENTENCES_KEPT = 256
SOUNDS_KEPT = 32
SOUND_BYTES_MOST = 4_000_000
_KEY_CHARACTERS = 24
_log = structlog.get_logger()


class Voice:
    """Speaks what pages have shown."""

    def __init__(self, command: tuple[str, ...] = (sys.executable, "-m", "edge.kiosk.speaker")) -> None:
        self._command = command
        self._sentences: OrderedDict[str, str] = OrderedDict()
        self._sounds: OrderedDict[str, bytes] = OrderedDict()
        self._one_at_a_time = asyncio.Lock()

    def key_of(self, text: str) -> str:
        """Return the key under which a sentence of a page can be heard."""
        text = text[:TEXT_MOST]
        key = hashlib.sha256(text.encode()).hexdigest()[:_KEY_CHARACTERS]
        self._sentences[key] = text
        self._sentences.move_to_end(key)
        if len(self._sentences) > SENTENCES_KEPT:
            self._sentences.popitem(last=False)
        return key

    async def sound(self, key: str) -> bytes | None:
        """Return the sound (WAV) of a sentence; None when no page has shown it or there is no voice."""
        text = self._sentences.get(key)
        if text is None:
            return None
        if key not in self._sounds:
            async with self._one_at_a_time:
                spoken = await self._speak(text)
            if spoken is None:
                return None
            self._sounds[key] = spoken
            if len(self._sounds) > SOUNDS_KEPT:
                self._sounds.popitem(last=False)
        return self._sounds[key]

    async def _speak(self, text: str) -> bytes | None:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
        except OSError as error:
            _log.warning("voice_missing", reason=str(error))
            return None
        try:
            async with asyncio.timeout(SPEAK_S_MOST):
                sound, _ = await process.communicate(text.encode())
        except TimeoutError:
            process.kill()
            await process.wait()
            _log.warning("voice_too_slow", limit_s=SPEAK_S_MOST)
            return None
        if process.returncode or not sound.startswith(b"RIFF") or len(sound) > SOUND_BYTES_MOST:
            _log.warning("voice_missing", code=process.returncode)
            return None
        return sound
