"""What a gateway found odd is told to a person in words, with hours as hours and registers in their unit."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from uuid import UUID

import pytest

from cloud.metering.findings import RULE_WORDS, clock_skew, findings_of
from cloud.metering.unpacking import DayPoints, MeterHome
from common.ids import CommunityId, MeterId
from common.reading.anomaly import HOUR_MS, Rule
from common.wire.commissioning import METER_PROPOSED, pack_proposal
from common.wire.records import AnomalyNote, Note
from common.wire.stamp import ClockSource
from tests.common.wire import builders as w
from tests.common.wire.test_commissioning import PROPOSAL

UTC_HOME = MeterHome(community_id=CommunityId(UUID(int=7)), zone=UTC)
NOTHING = DayPoints(by_day={}, unknown_meters=frozenset(), unknown_quantities=frozenset(), count=0)


def details_of(rule: str, quantity: str, value: int, limit: int) -> tuple[str, str]:
    note = AnomalyNote(
        meter_id=w.METER, quantity=quantity, rule=rule, slot_ms=w.NOW_MS, value_milli=value, limit_milli=limit
    )
    (finding,) = findings_of(w.content(note), NOTHING, {MeterId(w.METER): UTC_HOME})
    return finding.detail_zh, finding.detail_en


@pytest.mark.parametrize(
    ("rule", "quantity", "value", "limit", "zh", "en"),
    [
        (Rule.JUMP, "energy_forward", 3_003_840, 2_400_000, "读数跳变：3003.84 kWh，界限 2400 kWh", "3003.84 kWh"),
        (Rule.GAP, "energy_forward", 48 * HOUR_MS, 26 * HOUR_MS, "读数中断：48 小时，界限 26 小时", "48 h"),
        (Rule.NIGHT_FLOW, "volume", 30, 2, "夜间持续用水：0.03 m³，界限 0.002 m³", "0.03 m³"),
        (Rule.STUCK, "volume", 240 * HOUR_MS, 240 * HOUR_MS, "读数长期不动：240 小时", "240 h"),
    ],
)
def test_an_anomaly_is_told_with_its_figures_in_their_unit(
    rule: Rule, quantity: str, value: int, limit: int, zh: str, en: str
) -> None:
    told_zh, told_en = details_of(rule, quantity, value, limit)
    assert zh in told_zh
    assert en in told_en
    assert rule.value not in told_zh


def test_every_rule_has_words() -> None:
    assert set(RULE_WORDS) == set(Rule)


def test_a_rule_of_a_newer_gateway_is_told_by_its_name() -> None:
    told_zh, _ = details_of("backfeed", "energy_forward", 1_000, 0)
    assert "backfeed：1 kWh" in told_zh


@pytest.mark.parametrize(
    ("ahead", "source", "uncertainty_ms", "minutes"),
    [
        (timedelta(minutes=11), ClockSource.SYNCHRONISED, 0, 11),
        (timedelta(minutes=11), ClockSource.RTC, 120_000, 9),
        (timedelta(minutes=5), ClockSource.SYNCHRONISED, 0, None),
        (timedelta(minutes=11), ClockSource.SYNCHRONISED, 400_000, None),
        (timedelta(days=365), ClockSource.BOUNDED, 0, None),
        (timedelta(days=-1), ClockSource.SYNCHRONISED, 0, None),
    ],
)
def test_a_clock_ahead_of_the_cloud_is_told_beyond_its_own_doubt(
    ahead: timedelta, source: ClockSource, uncertainty_ms: int, minutes: int | None
) -> None:
    header = w.content().header
    made = replace(header.made, source=source, uncertainty_ms=uncertainty_ms)
    found = clock_skew(replace(header, made=made), header.made.at - ahead)
    if minutes is None:
        assert found is None
    else:
        assert found is not None
        assert (found.reason, found.object_id) == ("clock_skew", header.gateway_id)
        assert f"快 {minutes} 分钟" in found.detail_zh


def test_a_meter_found_on_site_is_told_to_the_office_with_its_proposal() -> None:
    text = pack_proposal(PROPOSAL)
    notes = [Note(what=METER_PROPOSED, detail=text), Note(what="boot", detail=text)]
    (finding,) = findings_of(w.content(*notes), NOTHING, {})
    assert (finding.reason, finding.owner_role, finding.subject) == (METER_PROPOSED, "manager", "g1-bus/33000001")
    assert finding.figures == {"proposal": text}
    assert "33000001 · cjt188-water · g1-bus / 33000001 · 王工" in finding.detail_zh


def test_a_finding_of_a_later_release_waits_in_its_batch() -> None:
    assert list(findings_of(w.content(Note(what=METER_PROPOSED, detail="{}")), NOTHING, {})) == []
