"""The dues snapshot for the kiosks: what each account owed, found by room and code, without a name.

A room is found only by the hash of room and code together (`lookup_sha`, the same as on the gateway). An account that
owes nothing is in it too, so that a right code is never told apart from a wrong one by its debt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import repository, service
from cloud.billing.documents import Account, OpenLine
from cloud.billing.tables import BillRow
from cloud.estate import service as estate
from cloud.fleet import service as fleet
from cloud.kit.db import Unit
from common.civil import civil_day
from common.errors import RefusalError
from common.ids import AccountId, BillId, CommunityId, GatewayId, MeterId, PremisesId
from common.wire.bundle import BundleKind

ROOMS_MAX = 20_000
# The cashier addresses of bills; a bill whose address is not known is left out.
Addresses = Callable[[Unit, Sequence[BillId]], Awaitable[Mapping[BillId, str]]]


def lookup_sha(room: str, code: str) -> str:
    """Return the name under which the dues of a room are found."""
    return hashlib.sha256(f"{room.strip().upper()}:{code.strip()}".encode()).hexdigest()


async def publish_everywhere(unit: Unit, addresses: Addresses | None = None) -> None:
    """Hand every gateway the dues, as of now, of the communities whose meters its site names.

    `addresses` gives the cashier addresses of some bills, for a kiosk to show as a code to scan.
    """
    bodies: dict[CommunityId, list[dict[str, Any]]] = {}
    for gateway in await fleet.gateways(unit.session):
        rooms: list[dict[str, Any]] = []
        for community_id in sorted(await _communities_of(unit, gateway.gateway_id)):
            if community_id not in bodies:
                ids: dict[str, BillId] = {}
                bodies[community_id] = await dues_rooms(unit.session, community_id, unit.now, ids)
                if addresses is not None:
                    _add_addresses(bodies[community_id], ids, await addresses(unit, sorted(ids.values())))
            rooms += bodies[community_id]
        if rooms:
            body = {"as_of": unit.now.isoformat(), "rooms": rooms}
            await fleet.publish_bundle(unit, gateway.gateway_id, BundleKind.DUES, body)


def _add_addresses(rooms: Sequence[dict[str, Any]], ids: Mapping[str, BillId], addresses: Mapping[BillId, str]) -> None:
    for bill in (bill for room in rooms for bill in room["bills"]):
        address = addresses.get(ids[bill["number"]])
        if address is not None:
            bill["pay_address"] = address


async def _communities_of(unit: Unit, gateway_id: GatewayId) -> frozenset[CommunityId]:
    newest = await fleet.newer_bundles(unit.session, gateway_id, {}, unit.now)
    site = next((bundle.body for bundle in newest if bundle.kind is BundleKind.SITE), {})
    meters = {MeterId(UUID(str(device["meter_id"]))) for device in site.get("devices") or ()}
    return frozenset((await fleet.meter_communities(unit.session, meters)).values()) if meters else frozenset()


async def dues_rooms(
    session: AsyncSession, community_id: CommunityId, as_of: datetime, ids: dict[str, BillId] | None = None
) -> list[dict[str, Any]]:
    """Return the rooms of the bundle: every account that was ever opened, with its open bills.

    The ids of these bills are noted in `ids` by number.

    Raises:
        RefusalError: there are more accounts than a kiosk takes.
    """
    community = await estate.community(session, community_id)
    labels = {
        premises.id: premises.label
        for premises in await estate.premises_in(session, community_id, day=civil_day(as_of, community.zone))
    }
    accounts = await service.accounts_in(session, community_id)
    if len(accounts) > ROOMS_MAX:
        raise RefusalError(f"{len(accounts)} accounts; a kiosk takes {ROOMS_MAX}: give the gateway a part of them")
    lines = await service.open_lines_of(session, [account.account_id for account in accounts])
    bills = await repository.bills_at(session, {line.bill_id for line in lines})
    if ids is not None:
        ids |= {row.number: BillId(bill_id) for bill_id, row in bills.items()}
    by_account: dict[AccountId, list[OpenLine]] = {}
    for line in lines:
        by_account.setdefault(line.account_id, []).append(line)
    return [_room(account, labels, by_account.get(account.account_id, []), bills) for account in accounts]


def _room(
    account: Account, labels: Mapping[PremisesId, str], lines: Sequence[OpenLine], bills: Mapping[Any, BillRow]
) -> dict[str, Any]:
    room = labels[account.premises_id]
    by_bill: dict[BillId, list[OpenLine]] = {}
    for line in lines:
        by_bill.setdefault(line.bill_id, []).append(line)
    return {
        "room": room,
        "lookup_sha": lookup_sha(room, account.lookup_code),
        "bills": [_bill(bills[bill_id], own) for bill_id, own in by_bill.items()],
    }


def _bill(bill: BillRow, lines: Sequence[OpenLine]) -> dict[str, Any]:
    return {
        "number": bill.number,
        "period": f"{bill.period_start.isoformat()}..{bill.period_end.isoformat()}",
        "total_fen": bill.total_fen,
        "open_fen": sum(line.open_fen for line in lines),
        "due": bill.due_on.isoformat(),
        "lines": [{"name": {"zh": line.name_zh, "en": line.name_en}, "amount_fen": line.open_fen} for line in lines],
    }
