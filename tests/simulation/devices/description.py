"""The description of a simulated site: lines, meters, cameras, visits and faults, from YAML or JSON."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
import yaml

from common.errors import RefusalError


class Meter(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One meter: its model is the profile's name; quantities in milli-units of kWh or m3."""

    serial: str
    model: str
    line: str
    address: str
    start_milli: int = 0
    daily_milli: int = 8000
    shape: str = "household"


class Line(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One line. `listen` is host:port for TCP kinds; `link` is the path of the pty's symbolic link."""

    line: str
    kind: str
    listen: str = ""
    link: str = ""
    answer_ms: int = 0


class Visit(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A car before a camera. `plate` empty: not recognised; `repeat`: how often the camera sends the record."""

    camera: str
    plate: str
    at: datetime
    number: int
    colour: int = 1
    repeat: int = 1
    stored_offline: bool = False


class Gate(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Cameras and barriers behind one broker."""

    broker: str
    cameras: tuple[str, ...]
    barriers: tuple[str, ...] = ()
    visits: tuple[Visit, ...] = ()


class FaultEntry(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A fault of one device (serial) or of every device of a line, during a span of business time.

    Kinds: dead, late (by `ms`), noise, split, doubled, truncated, bad_checksum, refuse, frozen, offset (by `milli`).
    """

    kind: str
    serial: str = ""
    line: str = ""
    since: datetime | None = None
    until: datetime | None = None
    ms: int = 0
    milli: int = 0


class Site(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A simulated site."""

    seed: int
    epoch: datetime
    lines: tuple[Line, ...] = ()
    meters: tuple[Meter, ...] = ()
    gates: tuple[Gate, ...] = ()
    faults: tuple[FaultEntry, ...] = ()


class _FaultFile(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    faults: tuple[FaultEntry, ...] = ()


FAULT_KINDS = frozenset(
    {"dead", "late", "noise", "split", "doubled", "truncated", "bad_checksum", "refuse", "frozen", "offset"}
)


def load_site(path: Path) -> Site:
    """Return the described site.

    Raises:
        RefusalError: the file is no description.
    """
    try:
        return _check(msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), Site))
    except (msgspec.ValidationError, yaml.YAMLError) as problem:
        raise RefusalError(f"{path}: {problem}; see tests/simulation/devices/description.py") from problem


def load_faults(path: Path) -> tuple[FaultEntry, ...]:
    """Return the faults of a control file; a missing file switches none on.

    Raises:
        RefusalError: the file holds something else.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    try:
        return msgspec.convert(yaml.safe_load(text) or {}, _FaultFile).faults
    except (msgspec.ValidationError, yaml.YAMLError) as problem:
        raise RefusalError(f"{path}: {problem}; write `faults: [...]`") from problem


def _check(site: Site) -> Site:
    lines = {line.line for line in site.lines}
    for meter in site.meters:
        if meter.line not in lines:
            raise RefusalError(f"meter {meter.serial} hangs on the unknown line {meter.line}")
    for fault in site.faults:
        if fault.kind not in FAULT_KINDS:
            raise RefusalError(f"fault kind {fault.kind!r} is not one of {', '.join(sorted(FAULT_KINDS))}")
    return site


@dataclass(slots=True)
class Faults:
    """The faults in force: those of the description and those of the control file, read again when it changes."""

    described: tuple[FaultEntry, ...]
    control: Path | None
    _stamp: tuple[int, int] | None = None
    _controlled: tuple[FaultEntry, ...] = ()

    def of(self, serial: str, line: str, at: datetime) -> list[FaultEntry]:
        """Return the faults of a device at an instant."""
        self._refresh()
        return [
            fault
            for fault in (*self.described, *self._controlled)
            if (fault.serial in {"", serial})
            and (fault.line in {"", line})
            and (fault.serial or fault.line)
            and (fault.since is None or fault.since <= at)
            and (fault.until is None or at < fault.until)
        ]

    def _refresh(self) -> None:
        if self.control is None:
            return
        try:
            status = self.control.stat()
            stamp = (status.st_mtime_ns, status.st_size)
        except FileNotFoundError:
            stamp = None
        if stamp != self._stamp:
            self._stamp = stamp
            self._controlled = load_faults(self.control) if stamp else ()
