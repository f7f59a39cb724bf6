"""The voice: a program of its own speaks sentences that a page has shown; without it the kiosk says so and works on."""

from __future__ import annotations

import subprocess
import sys

import pytest

from edge.kiosk.voice import Voice
from tests.edge.kiosk.test_pages import Box, box

__all__ = ["box"]


async def test_a_sentence_of_a_page_is_spoken_and_kept() -> None:
    voice = Voice()
    key = voice.key_of("房号一杠二杠三零一，应缴合计七十六元二角五分。")
    sound = await voice.sound(key)
    assert sound is not None
    assert sound.startswith(b"RIFF")
    assert len(sound) > 20_000
    assert await voice.sound(key) is sound


async def test_what_no_page_has_shown_is_not_spoken(box: Box) -> None:
    assert (await box.browser.get("/voice/0123456789abcdef01234567")).status_code == 404


@pytest.mark.parametrize(
    "command",
    [
        ("/nowhere/speaker",),
        (sys.executable, "-c", "raise SystemExit(1)"),
        (sys.executable, "-c", "print('no sound')"),
    ],
)
async def test_a_missing_or_broken_voice_is_no_sound(command: tuple[str, ...]) -> None:
    voice = Voice(command)
    assert await voice.sound(voice.key_of("您好")) is None


def test_the_gateway_itself_never_loads_the_synthesiser() -> None:
    code = "import sys, edge.app; print('espeakng_loader' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert done.stdout.strip() == "False"
