"""The processes of the simulated house: each is started by its own handle, stopped by it, and its peak memory is read.

A process writes its output to one log file. Stopping asks first (SIGTERM) and kills after a grace; a child never
outlives the conductor, whatever ends it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from common.errors import RefusalError

GRACE_SECONDS = 20
_POLL_SECONDS = 0.02
_PR_SET_PDEATHSIG = 1
_LOG_TAIL_LINES = 12


def free_port() -> int:
    """Return a loopback TCP port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _die_with_parent() -> None:
    """Ask the kernel to end this child when its parent ends (Linux prctl)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass(slots=True)
class Process:
    """One program of the house: how to start it, where its output goes, and how it is running now."""

    name: str
    command: Sequence[str]
    log: Path
    environment: dict[str, str] = field(default_factory=dict)
    popen: subprocess.Popen[bytes] | None = None
    peak_kib: int = 0
    starts: int = 0

    def start(self) -> None:
        """Start the program; its output is appended to the log."""
        with self.log.open("ab") as output:
            self.popen = subprocess.Popen(  # noqa: S603 - our own programs
                list(self.command),
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **self.environment},
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - Linux only, and no thread holds a lock here
            )
        self.starts += 1

    @property
    def running(self) -> bool:
        """Return whether the program was started and has not ended."""
        return self.popen is not None and self.popen.poll() is None

    def wait(self) -> int:
        """Wait until the program has ended by itself and return its exit code; one that was not started gives 0."""
        return 0 if self.popen is None else self.popen.wait()

    def stop(self) -> None:
        """End the program: SIGTERM, then SIGKILL after the grace. A program that is not running is left alone."""
        if self.popen is None:
            return
        self._note_memory()
        if self.running:
            self.popen.send_signal(signal.SIGTERM)
            try:
                self.popen.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        self.popen.wait()

    def kill(self) -> None:
        """End the program without asking, as a power cut would."""
        if self.popen is not None and self.running:
            self._note_memory()
            os.killpg(self.popen.pid, signal.SIGKILL)
            self.popen.wait()

    def tail(self) -> str:
        """Return the last lines of the log, for an error message."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_TAIL_LINES:])

    def _note_memory(self) -> None:
        if self.popen is None:
            return
        try:
            status = Path(f"/proc/{self.popen.pid}/status").read_text(encoding="ascii")
        except OSError:
            return
        for line in status.splitlines():
            if line.startswith("VmHWM:"):
                self.peak_kib = max(self.peak_kib, int(line.split()[1]))


def wait_until(condition: Callable[[], bool], *, what: str, seconds: float, watched: Sequence[Process] = ()) -> None:
    """Wait for a condition while the watched processes run.

    Raises:
        RefusalError: a watched process ended, or the time is over; the message carries the end of its log.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        for process in watched:
            if not process.running:
                raise RefusalError(f"{process.name} ended while waiting for {what}; its log ends:\n{process.tail()}")
        if time.monotonic() > deadline:
            tails = "\n".join(f"--- {process.name}\n{process.tail()}" for process in watched)
            raise RefusalError(f"waited {seconds:.0f} s for {what}, in vain\n{tails}")
        time.sleep(_POLL_SECONDS)
