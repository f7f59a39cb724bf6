"""What is odd in a batch, as findings from which cases are opened: the gateway's anomalies, strangers, contradictions.

Pure; no database. Figures and ids only, no personal data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from cloud.metering.events import OddityFound
from cloud.metering.unpacking import DayPoints, MeterHome
from common.civil import civil_day
from common.clock import from_epoch_ms
from common.errors import RefusalError
from common.ids import MeterId
from common.measure.quantity import format_milli
from common.reading.anomaly import HOUR_MS, Rule
from common.wire.batch import BatchContent, BatchHeader
from common.wire.commissioning import METER_PROPOSED, unpack_proposal
from common.wire.records import AnomalyNote, Note
from common.wire.stamp import ClockSource

NAMED_QUANTITIES_MAX = 5
CLOCK_AHEAD_MAX = timedelta(minutes=5)
RULE_WORDS: Mapping[str, tuple[str, str]] = {
    Rule.BACKWARDS: ("读数倒走", "the register ran backwards"),
    Rule.JUMP: ("读数跳变", "the register jumped"),
    Rule.GAP: ("读数中断", "no good reading for a while"),
    Rule.STUCK: ("读数长期不动", "the register does not move"),
    Rule.SPIKE: ("用量突增", "usage far above the usual"),
    Rule.NIGHT_FLOW: ("夜间持续用水", "flow all through the night"),
    Rule.CONTINUOUS_FLOW: ("用水不间断", "the flow never stops"),
    Rule.REVERSE_FLOW: ("反复倒流", "the flow turns back again and again"),
    Rule.ABNORMAL_DAYS: ("连续多日异常", "abnormal for days in a row"),
    Rule.COMMS_QUALITY: ("通信质量差（无应答比例）", "the meter often does not answer (share of slots)"),
    Rule.SWAPPED_METERS: ("疑与另一只表接错", "it seems to have changed places with another meter"),
}
_IN_TIME = frozenset({Rule.GAP, Rule.STUCK, Rule.CONTINUOUS_FLOW, Rule.ABNORMAL_DAYS})
_UNITS = {"energy": "kWh", "volume": "m³"}


def findings_of(content: BatchContent, placed: DayPoints, homes: Mapping[MeterId, MeterHome]) -> Iterator[OddityFound]:
    """Yield everything in a batch that a person must look at."""
    yield from _strangers(content.header, placed)
    yield from _proposals(content)
    seen: set[str] = set()
    for _, note in content.records(AnomalyNote):
        home = homes.get(note.meter_id)
        if home is not None:
            finding = _anomaly(content.header, note, home)
            if finding.key not in seen:
                seen.add(finding.key)
                yield finding


def clock_skew(header: BatchHeader, now: datetime) -> OddityFound | None:
    """Return that a gateway's clock runs ahead: it sealed a batch later than now, by more than it is unsure of.

    A clock that is behind looks like a batch that waited, so nothing is said of it.
    """
    made = header.made
    ahead = made.at - timedelta(milliseconds=made.uncertainty_ms) - now
    if made.source is ClockSource.BOUNDED or ahead <= CLOCK_AHEAD_MAX:
        return None
    minutes = ahead // timedelta(minutes=1)
    return _alarm(
        header,
        reason="clock_skew",
        object_kind="gateway",
        object_id=header.gateway_id,
        detail_zh=f"网关时钟比云端快 {minutes} 分钟，读数日期可能有误；请检查网关校时。",
        detail_en=f"The gateway's clock runs {minutes} min ahead; readings may be misdated. Look at its time source.",
    )


def _anomaly(header: BatchHeader, note: AnomalyNote, home: MeterHome) -> OddityFound:
    day = civil_day(from_epoch_ms(note.slot_ms), home.zone)
    zh, en = RULE_WORDS.get(note.rule, (note.rule, note.rule))
    (value_zh, value_en), (limit_zh, limit_en) = (_figure(note, of) for of in (note.value_milli, note.limit_milli))
    return OddityFound(
        key=f"{note.rule}:{note.meter_id}:{note.quantity}:{day}:{header.epoch}:{header.sequence}",
        kind="anomaly",
        reason=note.rule,
        object_kind="meter",
        object_id=note.meter_id,
        subject=note.quantity,
        community_id=home.community_id,
        detail_zh=f"{day} {zh}：{value_zh}，界限 {limit_zh}。请核对表具与现场。",
        detail_en=f"{day}: {en}, {value_en} against a limit of {limit_en}. Check the meter on site.",
        figures={"value_milli": note.value_milli, "limit_milli": note.limit_milli, "day": day.isoformat()},
    )


def _figure(note: AnomalyNote, figure: int) -> tuple[str, str]:
    """Return a figure of a note in words: hours where the rule measures time, else the register's unit."""
    if note.rule in _IN_TIME:
        hours = figure // HOUR_MS
        return f"{hours} 小时", f"{hours} h"
    unit = next((unit for start, unit in _UNITS.items() if start in note.quantity), "")
    return f"{format_milli(figure)} {unit}".rstrip(), f"{format_milli(figure)} {unit}".rstrip()


def _proposals(content: BatchContent) -> Iterator[OddityFound]:
    """Yield the meters that a technician found on site, for the office to accept."""
    header = content.header
    for entry, note in content.records(Note):
        if note.what != METER_PROPOSED:
            continue
        try:
            found = unpack_proposal(note.detail)
        except RefusalError:
            continue  # of a later release; the signed batch keeps it, and the technician's page still shows the draft
        told = f"{found.label} {found.serial} · {found.profile} · {found.wire} / {found.address} · {found.by}".strip()
        yield OddityFound(
            key=f"{METER_PROPOSED}:{header.gateway_id}:{header.epoch}:{entry.seq}",
            kind="exception",
            reason=METER_PROPOSED,
            object_kind="gateway",
            object_id=header.gateway_id,
            subject=f"{found.wire}/{found.address}",
            community_id=None,
            owner_role="manager",
            detail_zh=f"技术员在现场试读了一只表，待接受：{told}",
            detail_en=f"A technician read a meter on trial; it waits to be accepted: {told}",
            figures={"proposal": note.detail},
        )


def _strangers(header: BatchHeader, placed: DayPoints) -> Iterator[OddityFound]:
    for meter_id in sorted(placed.unknown_meters):
        yield _alarm(
            header,
            reason="unknown_meter",
            object_kind="meter",
            object_id=meter_id,
            detail_zh="网关上报了未登记的表具；读数保存在签名批次中，登记后可补入。",
            detail_en="A gateway reports a meter that is not registered; its readings stay in the signed batches.",
        )
    if placed.unknown_quantities:
        names = ", ".join(sorted(placed.unknown_quantities)[:NAMED_QUANTITIES_MAX])
        yield _alarm(
            header,
            reason="unknown_quantity",
            object_kind="gateway",
            object_id=header.gateway_id,
            detail_zh=f"网关上报了未知的量：{names}。请升级云端或修正设备配置。",
            detail_en=f"A gateway reports quantities nobody knows: {names}. Update the cloud or mend the profile.",
        )


def _alarm(
    header: BatchHeader, *, reason: str, object_kind: str, object_id: UUID, detail_zh: str, detail_en: str
) -> OddityFound:
    return OddityFound(
        key=f"{reason}:{object_id}:{header.gateway_id}:{header.epoch}:{header.sequence}",
        kind="alarm",
        reason=reason,
        object_kind=object_kind,
        object_id=object_id,
        community_id=None,
        detail_zh=detail_zh,
        detail_en=detail_en,
        figures={"sequence": header.sequence},
    )
