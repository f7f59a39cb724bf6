"""The report of a loaded site holds one-time codes, so only its owner reads it."""

from __future__ import annotations

import json
from pathlib import Path

from cloud.cli.site_report import Report


def test_the_report_can_be_read_by_its_owner_only(tmp_path: Path) -> None:
    report = Report(companies={"east": "1"}, users={"boss": "AAAAA-BBBBB-CCCCC"})
    report.write(tmp_path / "report.json")
    assert (tmp_path / "report.json").stat().st_mode & 0o777 == 0o600
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["users"] == report.users
