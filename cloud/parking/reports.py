"""What parking brings to a person: stays that nobody is named for. Pure; no plate in any of it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from cloud.cases.case import CaseKind, CaseReport, OwnerRole
from common.ids import CommunityId, GatewayId

NO_HOUSEHOLD = "no_household"
NO_ENTRY = "no_entry"
LOST_EXIT = "lost_exit"


def no_household(community_id: CommunityId, session_id: UUID, lot: str, left_at: datetime) -> CaseReport:
    """Return the report of a stay to be charged to a household that no permit names."""
    return _stay(
        community_id,
        session_id,
        reason=NO_HOUSEHOLD,
        detail_zh=f"车场 {lot} 有应记入住户账户的停车（{left_at:%Y-%m-%d %H:%M} 离场），但没有有效登记对应住户。",
        detail_en=f"A stay at {lot} (left {left_at:%Y-%m-%d %H:%M} UTC) is to be charged to a household that no valid "
        "permit names.",
    )


def no_entry(community_id: CommunityId, session_id: UUID, lot: str, left_at: datetime) -> CaseReport:
    """Return the report of a stay that left and was never seen to enter."""
    return _stay(
        community_id,
        session_id,
        reason=NO_ENTRY,
        detail_zh=f"车场 {lot} 有车于 {left_at:%Y-%m-%d %H:%M} 离场但无入场记录，无法计费。",
        detail_en=f"A vehicle left {lot} at {left_at:%Y-%m-%d %H:%M} UTC without a record of its entry.",
    )


def unpaid(community_id: CommunityId, session_id: UUID, lot: str, quote_fen: int | None) -> CaseReport:
    """Return the report of a stay that was let go without paying."""
    return _stay(
        community_id,
        session_id,
        reason="unpaid_stay",
        detail_zh=f"车场 {lot} 有车未付费放行，请追缴或免除。",
        detail_en=f"A vehicle was let go from {lot} without paying. Collect the fee or waive it.",
        quote_fen=quote_fen,
    )


def lost_exit(community_id: CommunityId, session_id: UUID, lot: str, entered_at: datetime | None) -> CaseReport:
    """Return the report of a stay whose exit nobody saw: its vehicle entered again."""
    entered = "?" if entered_at is None else f"{entered_at:%Y-%m-%d %H:%M}"
    return _stay(
        community_id,
        session_id,
        reason=LOST_EXIT,
        detail_zh=f"车场 {lot} 有车（{entered} 入场）未见离场又再次入场，请核对离场时间后收费或免除。",
        detail_en=f"A vehicle (entered {lot} at {entered} UTC) entered again without having been seen to leave. Find "
        "out when it left, then charge or waive it.",
    )


def unknown_lot(gateway_id: GatewayId, lot: str) -> CaseReport:
    """Return the report of acts at a lot that nobody registered."""
    return CaseReport(
        kind=CaseKind.ALARM,
        reason="unknown_lot",
        origin="parking",
        object_kind="gateway",
        object_id=gateway_id,
        subject=lot,
        community_id=None,
        owner_role=OwnerRole.TECHNICIAN,
        detail_zh=f"网关上报了未登记车场 {lot} 的记录；登记车场后重新处理。",
        detail_en=f"A gateway reports acts at the lot {lot}, which is not registered. Register it.",
    )


def _stay(
    community_id: CommunityId,
    session_id: UUID,
    *,
    reason: str,
    detail_zh: str,
    detail_en: str,
    quote_fen: int | None = None,
) -> CaseReport:
    return CaseReport(
        kind=CaseKind.EXCEPTION,
        reason=reason,
        origin="parking",
        object_kind="parking_session",
        object_id=session_id,
        community_id=community_id,
        owner_role=OwnerRole.CASHIER,
        detail_zh=detail_zh,
        detail_en=detail_en,
        figures={} if quote_fen is None else {"quote_fen": quote_fen},
    )
