"""A program of its own: text from standard input, spoken Chinese (and English within it) as WAV on standard output.

It alone loads the eSpeak NG library, so the gateway's process never does. Exit code 1: there is no voice on this box.
"""

from __future__ import annotations

import ctypes
import io
import sys
import wave

VOICE = "cmn"
WORDS_A_MINUTE = 150
_SYNCHRONOUS = 2
_UTF8 = 1
_RATE = 1
_SAMPLE_BYTES = 2
_TEXT_BYTES_MOST = 4_096


def speak(text: str) -> bytes:
    """Return a text as WAV.

    Raises:
        OSError: the library or its data is not there.
    """
    import espeakng_loader  # noqa: PLC0415 - only this program touches it

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    data_path = str(espeakng_loader.get_data_path()).removesuffix("/espeak-ng-data")
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, data_path.encode(), 0)
    if rate <= 0 or library.espeak_SetVoiceByName(VOICE.encode()) != 0:
        raise OSError("the voice's data cannot be used")
    samples = bytearray()
    callback_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)

    def take(wav: ctypes._Pointer[ctypes.c_short], count: int, _: int | None) -> int:
        if count > 0:
            samples.extend(ctypes.string_at(wav, count * _SAMPLE_BYTES))
        return 0

    callback = callback_type(take)
    library.espeak_SetSynthCallback(callback)
    library.espeak_SetParameter(_RATE, WORDS_A_MINUTE, 0)
    spoken = text.encode()
    library.espeak_Synth(spoken, len(spoken) + 1, 0, 0, 0, _UTF8, None, None)
    library.espeak_Synchronize()
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(_SAMPLE_BYTES)
        sound.setframerate(rate)
        sound.writeframes(bytes(samples))
    return out.getvalue()


def main() -> int:
    """Speak standard input."""
    text = sys.stdin.buffer.read(_TEXT_BYTES_MOST).decode(errors="replace")
    try:
        sound = speak(text)
    except (ImportError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.buffer.write(sound)
    return 0


if __name__ == "__main__":
    sys.exit(main())
