"""The settings of one gateway, read once from `HOME/settings.yaml`; every fault is listed, secrets have no default.

What a site is (wires, meters, prices) comes signed from the cloud and never stands here. `GATEHOUSE_EDGE_PIN` may
give the technician's PIN; without it the gateway makes one and keeps it in `HOME/technician.pin`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from common.errors import Fault, FaultsError, RefusalError

SETTINGS_FILE = "settings.yaml"
PIN_VARIABLE = "GATEHOUSE_EDGE_PIN"
PIN_FILE = "technician.pin"
PIN_DIGITS = 8
SETTINGS_BYTES_MAX = 64 * 1024
_PIN_BYTES = 8
_MIB = 1024 * 1024
_DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All of it. Milliseconds and bytes are integers; a path is absolute."""

    home: Path
    cloud_url: str | None
    cloud_gather_ms: int
    cloud_poll_s: int
    pages_host: str
    pages_port: int
    clock_file: Path | None
    store_limit_bytes: int
    store_ballast_bytes: int
    store_keep_ms: int
    commit_interval_ms: int
    tick_ms: int
    patience_ms: int
    retry_ms: int
    back_off_first_ms: int
    back_off_most_ms: int
    kiosk_idle_s: int
    kiosk_printer: str | None
    profiles: Path
    technician_pin: str | None
    notify_socket: str | None
    watchdog_us: int

    @property
    def store_path(self) -> Path:
        """Return the file of the store."""
        return self.home / "store.db"

    @property
    def key_path(self) -> Path:
        """Return the folder of the gateway's keys."""
        return self.home / "keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One setting: its place, its default, and the bounds of a number."""

    default: str | int | None
    low: int = 0
    high: int = 0


_ENTRIES: Mapping[str, _Entry] = {
    "cloud.url": _Entry(default=None),
    "cloud.gather_ms": _Entry(default=900_000, low=1, high=86_400_000),
    "cloud.poll_s": _Entry(default=25, low=0, high=60),
    "pages.host": _Entry(default="127.0.0.1"),
    "pages.port": _Entry(default=8480, low=0, high=65_535),
    "clock.file": _Entry(default=None),
    "store.limit_mib": _Entry(default=256, low=8, high=65_536),
    "store.ballast_mib": _Entry(default=16, low=1, high=1_024),
    "store.keep_days": _Entry(default=35, low=0, high=3_650),
    "store.commit_interval_ms": _Entry(default=250, low=1, high=10_000),
    "sampling.tick_ms": _Entry(default=1_000, low=1, high=60_000),
    "sampling.patience_ms": _Entry(default=600_000, low=0, high=86_400_000),
    "sampling.retry_ms": _Entry(default=5_000, low=1, high=3_600_000),
    "sampling.back_off_first_ms": _Entry(default=5_000, low=1, high=3_600_000),
    "sampling.back_off_most_ms": _Entry(default=300_000, low=1, high=3_600_000),
    "devices.profiles": _Entry(default=None),
    "kiosk.idle_s": _Entry(default=60, low=5, high=3_600),
    "kiosk.printer": _Entry(default=None),
}


def read_settings(home: Path) -> Settings:
    """Return the settings of a gateway's folder; a missing file means all defaults.

    Raises:
        FaultsError: with every fault of the file.
    """
    path = home.absolute() / SETTINGS_FILE
    document = _load(path)
    faults: list[Fault] = []
    values = {place: _value(document, place, entry, faults) for place, entry in _ENTRIES.items()}
    faults += _unknown(document)
    url = values["cloud.url"]
    if url is not None and not str(url).startswith(("http://", "https://")):
        faults.append(Fault(where="cloud.url", what=f"{url!r} is no address", remedy="begin with http:// or https://"))
    if not faults and _int(values, "store.ballast_mib") >= _int(values, "store.limit_mib"):
        faults.append(Fault(where="store.ballast_mib", what="leaves no room", remedy="make it smaller than limit_mib"))
    if faults:
        raise FaultsError(str(path), faults)
    clock_file = values["clock.file"]
    return Settings(
        home=home.absolute(),
        cloud_url=None if url is None else str(url).rstrip("/"),
        cloud_gather_ms=_int(values, "cloud.gather_ms"),
        cloud_poll_s=_int(values, "cloud.poll_s"),
        pages_host=str(values["pages.host"]),
        pages_port=_int(values, "pages.port"),
        clock_file=None if clock_file is None else (home.absolute() / str(clock_file)),
        store_limit_bytes=_int(values, "store.limit_mib") * _MIB,
        store_ballast_bytes=_int(values, "store.ballast_mib") * _MIB,
        store_keep_ms=_int(values, "store.keep_days") * _DAY_MS,
        commit_interval_ms=_int(values, "store.commit_interval_ms"),
        tick_ms=_int(values, "sampling.tick_ms"),
        patience_ms=_int(values, "sampling.patience_ms"),
        retry_ms=_int(values, "sampling.retry_ms"),
        back_off_first_ms=_int(values, "sampling.back_off_first_ms"),
        back_off_most_ms=max(_int(values, "sampling.back_off_most_ms"), _int(values, "sampling.back_off_first_ms")),
        kiosk_idle_s=_int(values, "kiosk.idle_s"),
        kiosk_printer=None if values["kiosk.printer"] is None else str(values["kiosk.printer"]),
        profiles=_profiles(home, values["devices.profiles"]),
        technician_pin=os.environ.get(PIN_VARIABLE),
        notify_socket=os.environ.get("NOTIFY_SOCKET"),
        watchdog_us=_watchdog_us(os.environ.get("WATCHDOG_USEC", "")),
    )


def make_pin(settings: Settings, entropy: Callable[[int], bytes]) -> str:
    """Return the technician's PIN: from the environment, else from the gateway's folder, made when there is none."""
    if settings.technician_pin is not None:
        return settings.technician_pin
    path = settings.home / PIN_FILE
    try:
        if not path.exists():
            number = int.from_bytes(entropy(_PIN_BYTES)) % 10**PIN_DIGITS
            settings.home.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(f"{number:0{PIN_DIGITS}d}\n", encoding="ascii")
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise RefusalError(f"{path}: {error.strerror}; give the gateway a folder it may write") from error


def _watchdog_us(text: str) -> int:
    """Return the service manager's watchdog period in microseconds, 0 where it sets none."""
    return int(text) if text.isascii() and text.isdigit() else 0


def _profiles(home: Path, given: str | int | None) -> Path:
    """Return the folder of device models: as set, else beside the code in a checkout, else as installed with it."""
    if given is not None:
        return home.absolute() / str(given)
    beside = Path(__file__).resolve().parents[1]
    candidates = (beside / "firmware-config", beside / "gatehouse_config")
    return next((path for path in candidates if path.is_dir()), candidates[0]) / "profiles"


def _load(path: Path) -> Mapping[str, Any]:
    try:
        with path.open("rb") as file:
            text = file.read(SETTINGS_BYTES_MAX + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise RefusalError(f"{path}: {error.strerror}; make the file readable for the gateway") from error
    if len(text) > SETTINGS_BYTES_MAX:
        raise RefusalError(f"{path}: larger than {SETTINGS_BYTES_MAX} bytes; this is no settings file")
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RefusalError(f"{path}: is no YAML ({error}); mend or remove it") from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise RefusalError(f"{path}: is a {type(document).__name__}, not sections with settings; mend or remove it")
    return document


def _value(document: Mapping[str, Any], place: str, entry: _Entry, faults: list[Fault]) -> str | int | None:
    section, name = place.split(".")
    held = document.get(section)
    found = held.get(name, entry.default) if isinstance(held, dict) else entry.default
    if found is None:
        return None
    if isinstance(entry.default, int):
        if isinstance(found, bool) or not isinstance(found, int) or not entry.low <= found <= entry.high:
            remedy = f"give a whole number from {entry.low} to {entry.high}"
            faults.append(Fault(where=place, what=f"{found!r} does not fit", remedy=remedy))
            return entry.default
        return found
    if not isinstance(found, str):
        faults.append(Fault(where=place, what=f"{found!r} is no text", remedy="write it as text"))
        return entry.default
    return found


def _unknown(document: Mapping[str, Any]) -> Iterator[Fault]:
    sections = {place.split(".")[0] for place in _ENTRIES}
    for section, held in document.items():
        if section not in sections:
            yield Fault(where=str(section), what="is unknown", remedy=f"known sections: {', '.join(sorted(sections))}")
        elif not isinstance(held, dict):
            yield Fault(where=str(section), what="holds no settings", remedy="indent its settings below it")
        else:
            known = sorted(place for place in _ENTRIES if place.startswith(f"{section}."))
            for name in held:
                if f"{section}.{name}" not in _ENTRIES:
                    yield Fault(where=f"{section}.{name}", what="is unknown", remedy=f"known: {', '.join(known)}")


def _int(values: Mapping[str, str | int | None], place: str) -> int:
    value = values[place]
    return value if isinstance(value, int) else 0
