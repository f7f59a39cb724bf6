"""What access brings to a person: charges that nobody is named for, ends without a charge. Pure; no card in it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from cloud.cases.case import CaseKind, CaseReport, OwnerRole
from common.ids import CommunityId, GatewayId

NOBODY = "charge_without_household"


def nobody(community_id: CommunityId, event_id: UUID, pile: str, ended: datetime, energy_wh: int) -> CaseReport:
    """Return the report of a charge that no valid permit gives a household."""
    return CaseReport(
        kind=CaseKind.EXCEPTION,
        reason=NOBODY,
        origin="access",
        object_kind="pile_charge",
        object_id=event_id,
        community_id=community_id,
        owner_role=OwnerRole.CASHIER,
        detail_zh=f"充电桩 {pile} 有一次充电（{ended:%Y-%m-%d %H:%M} 结束）没有有效登记对应住户，请收费或免除。",
        detail_en=f"A charge at {pile} (ended {ended:%Y-%m-%d %H:%M} UTC) belongs to no household: collect or waive.",
        figures={"energy_wh": energy_wh},
    )


def stray(community_id: CommunityId, event_id: UUID, pile: str, what: str, energy_wh: int) -> CaseReport:
    """Return the report of an end that belongs to no charge under way; it was not billed."""
    late = what == "late"
    return CaseReport(
        kind=CaseKind.EXCEPTION,
        reason=f"charge_{what}",
        origin="access",
        object_kind="pile_charge",
        object_id=event_id,
        community_id=community_id,
        owner_role=OwnerRole.CASHIER,
        detail_zh=f"充电桩 {pile} 在充电已按最后读数结算之后才上报结束，差额请核对。"
        if late
        else f"充电桩 {pile} 上报了一次没有开始记录的充电结束，请到桩前核对电表。",
        detail_en=f"{pile} told the end of a charge after it was sealed at its last register. Settle the difference."
        if late
        else f"{pile} told the end of a charge that nobody began. Compare with its meter.",
        figures={"energy_wh": energy_wh},
    )


def unknown_place(gateway_id: GatewayId, place: str) -> CaseReport:
    """Return the report of acts at a door or pile that nobody registered."""
    return CaseReport(
        kind=CaseKind.ALARM,
        reason="unknown_place",
        origin="access",
        object_kind="gateway",
        object_id=gateway_id,
        subject=place,
        community_id=None,
        owner_role=OwnerRole.TECHNICIAN,
        detail_zh=f"网关上报了未登记的门或充电桩 {place}；请先登记，再重新处理。",
        detail_en=f"A gateway reports acts at {place}, which is not registered. Register the door or pile.",
    )
