"""What a case is about, in words a person knows: a room, a meter behind its door, a gateway; never an id.

What no one outside the ledger has a name for is called by its kind, with the end of its id to tell two apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.cases.case import Case
from cloud.estate import service as estate
from cloud.fleet import service as fleet
from common.civil import Period, civil_day
from common.ids import CommunityId

_KINDS: Mapping[str, tuple[str, str]] = {
    "premises": ("房屋", "premises"),
    "meter": ("表具", "meter"),
    "gateway": ("网关", "gateway"),
    "charge_item": ("收费项", "charge item"),
    "parking_session": ("停车记录", "parking session"),
    "payment": ("收款", "payment"),
    "payment_attempt": ("付款尝试", "payment attempt"),
    "refund": ("退款", "refund"),
    "deposit": ("押金", "deposit"),
    "recon_break": ("对账差异", "reconciliation break"),
    "paper": ("单据", "paper"),
    "seal_key": ("印章密钥", "seal key"),
    "merchant_account": ("商户号", "merchant account"),
}
_ID_END = 6


async def case_subjects(session: AsyncSession, found: Iterable[Case], now: datetime) -> dict[UUID, str]:
    """Return by object id what each case is about; every case has an entry."""
    listed = tuple(found)
    names: dict[UUID, str] = {}
    for community_id in {case.community_id for case in listed if case.object_kind in {"premises", "meter"}}:
        if community_id is not None:
            names |= await _names_in(session, community_id, now)
    if any(case.object_kind == "gateway" for case in listed):
        names |= {gateway.gateway_id: gateway.label for gateway in await fleet.gateways(session)}
    return {case.object_id: _worded(case, names.get(case.object_id)) for case in listed}


async def _names_in(session: AsyncSession, community_id: CommunityId, now: datetime) -> dict[UUID, str]:
    """Return rooms by their label, and meters by serial and the room they are in."""
    day = civil_day(now, (await estate.community(session, community_id)).zone)
    rooms: dict[UUID, str] = {
        premises.id: premises.label for premises in await estate.premises_in(session, community_id, day=day)
    }
    meters = await fleet.installed_meters(session, community_id, Period(day, day + timedelta(days=1)))
    places = {
        meter.meter_id: "公共 public" if meter.premises_id is None else rooms[meter.premises_id] for meter in meters
    }
    return rooms | {meter.meter_id: f"{meter.serial} · {places[meter.meter_id]}" for meter in meters}


def _worded(case: Case, name: str | None) -> str:
    zh, en = _KINDS.get(case.object_kind, (case.object_kind, ""))
    return f"{zh} {en}".rstrip() + f" {name or '…' + case.object_id.hex[-_ID_END:]}"
