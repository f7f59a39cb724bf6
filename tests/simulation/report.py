"""The report of `make demo-check`: a table for people in two languages, and `report.json` for machines."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.simulation.processes import Process
from tests.simulation.promises import Row

_NAME_COLUMNS = 34
_FIGURE_COLUMNS = 13
_KIB_PER_MIB = 1024
_WIDE = {"W", "F"}


def write(
    path: Path, rows: Sequence[Row], *, exchanges_over_wires: int, wall_s: float, processes: Iterable[Process]
) -> int:
    """Write the report for machines, print the one for people, and return the exit code: 0 when every row passed."""
    told: dict[str, Any] = {
        "passed": bool(rows) and all(row.passed for row in rows),
        "rows": [_plain(row) for row in rows],
        "exchanges_over_wires": exchanges_over_wires,
        "wall_s": round(wall_s, 1),
        "peak_memory_mib": {process.name: process.peak_kib // _KIB_PER_MIB for process in processes},
    }
    path.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"\n{table(rows)}\n\n{_footer(told)}\n")
    return 0 if told["passed"] else 1


def table(rows: Sequence[Row]) -> str:
    """Return one row for each comparison, what was compared below it in both languages, and what was found wrong."""
    lines = []
    for row in rows:
        mark = "通过 pass" if row.passed else "不符 FAIL"
        number = "" if row.promise is None else str(row.promise)
        figures = f"{row.left:>{_FIGURE_COLUMNS},}{row.right:>{_FIGURE_COLUMNS},}"
        lines.append(f"{number:>2} {padded(row.name_zh, _NAME_COLUMNS)}{figures}  {mark}")
        lines.append(f"   {row.name_en}")
        lines.append(f"     {row.compared_zh}")
        lines.append(f"     {row.compared_en}")
        lines += [f"     ! {fault}" for fault in row.faults]
    return "\n".join(lines)


def _footer(told: dict[str, Any]) -> str:
    good = sum(row["passed"] for row in told["rows"])
    memory = ", ".join(f"{name} {mib} MiB" for name, mib in sorted(told["peak_memory_mib"].items()))
    return (
        f"{good} / {len(told['rows'])} 项相符 rows pass\n"
        f"真实线路上的报文 exchanges over real wires: {told['exchanges_over_wires']:,}\n"
        f"用时 wall time: {told['wall_s']} s\n"
        f"内存峰值 peak memory: {memory}"
    )


def _plain(row: Row) -> dict[str, Any]:
    return {
        "promise": row.promise,
        "key": row.key,
        "name": {"zh": row.name_zh, "en": row.name_en},
        "compared": {"zh": row.compared_zh, "en": row.compared_en},
        "left": row.left,
        "right": row.right,
        "passed": row.passed,
        "faults": list(row.faults),
    }


def padded(text: str, width: int) -> str:
    """Return a text filled with blanks to a width in a terminal's columns."""
    return text + " " * max(1, width - columns(text))


def columns(text: str) -> int:
    """Return how many columns a text takes in a terminal; a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(letter) in _WIDE else 1 for letter in text)
