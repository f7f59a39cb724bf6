"""What access brings to a person says what happened and what to do, in both languages, and names no card."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from cloud.access import reports
from common.ids import CommunityId, GatewayId

HERE, EVENT = CommunityId(UUID(int=1)), UUID(int=2)


@pytest.mark.parametrize("what", ["late", "unknown"])
def test_a_stray_end_says_what_to_compare(what: str) -> None:
    report = reports.stray(HERE, EVENT, "P1", what, 5_000)
    assert (report.reason, report.figures["energy_wh"]) == (f"charge_{what}", 5_000)
    assert "P1" in report.detail_zh
    assert "P1" in report.detail_en


def test_a_charge_of_nobody_and_an_unknown_place_say_what_to_do() -> None:
    assert "waive" in reports.nobody(HERE, EVENT, "P1", datetime(2026, 1, 5, tzinfo=UTC), 1).detail_en
    assert "Register" in reports.unknown_place(GatewayId(UUID(int=3)), "door-9").detail_en
