"""The library of ready tariffs as tests and examples use it: loaded, compiled, found by code and day."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from common.rating.usage_document import Place
from common.tariff.compile import CompiledTariff, compile_tariff
from common.tariff.daytype import OfficialCalendar, parse_calendar
from common.tariff.document import parse_tariff

ROOT = Path(__file__).resolve().parents[3]
LIBRARY = ROOT / "firmware-config" / "tariffs"
DATA = ROOT / "tests" / "data" / "tariffs"
CALENDAR_FOLDER = "calendar"
SHANGHAI = Place(zone=ZoneInfo("Asia/Shanghai"), zone_name="Asia/Shanghai")


def tariff_files() -> list[Path]:
    """Return every tariff of the library."""
    return sorted(path for path in LIBRARY.rglob("*.yaml") if path.parent.name != CALENDAR_FOLDER)


@cache
def load(path: Path) -> Mapping[str, object]:
    loaded: Mapping[str, object] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


@cache
def compiled(path: Path) -> CompiledTariff:
    return compile_tariff(parse_tariff(load(path)))


@cache
def files_by_code() -> dict[str, list[Path]]:
    files: dict[str, list[Path]] = {}
    for path in tariff_files():
        files.setdefault(str(load(path)["code"]), []).append(path)
    return files


def revisions(code: str) -> list[CompiledTariff]:
    """Return every revision of a library tariff; only these are compiled."""
    return [compiled(path) for path in files_by_code()[code]]


def in_force(code: str, day: date) -> CompiledTariff:
    """Return the revision of a library tariff that holds on a day; one without a date always holds."""
    dated = [(tariff.document.header.effective_from or date.min, tariff) for tariff in revisions(code)]
    started = [revision for revision in dated if revision[0] <= day] or dated[:1]
    return max(started, key=lambda revision: revision[0])[1]


@cache
def calendar(code: str = "cn") -> OfficialCalendar:
    files = sorted((LIBRARY / CALENDAR_FOLDER).glob(f"{code}-*.yaml"))
    return parse_calendar(code, [load(path) for path in files])


def examples() -> list[dict[str, Any]]:
    """Return the worked examples of the trade, each with its source."""
    found: list[dict[str, Any]] = []
    for path in sorted(DATA.glob("*.json")):
        found.extend(json.loads(path.read_text(encoding="utf-8")))
    return found
