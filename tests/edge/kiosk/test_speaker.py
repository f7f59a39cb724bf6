"""The speaking program: text in, WAV out."""

from __future__ import annotations

import io
import subprocess
import sys
import wave


def test_text_becomes_sound_of_some_length() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "edge.kiosk.speaker"], input="您好，请缴费。".encode(), capture_output=True, check=True
    )
    with wave.open(io.BytesIO(done.stdout)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth()) == (1, 2)
        assert sound.getnframes() > sound.getframerate() // 2
