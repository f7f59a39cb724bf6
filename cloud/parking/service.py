"""Use cases of parking: lots, permits, and stays that become a household's charge exactly once.

A stay that is to be charged to a household becomes a usage session, which rating prices and one bill line claims. A
stay that nobody can be named for becomes a case. The plate is looked up in the personal lane for the moment of the
match and stored nowhere else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.cases import service as cases
from cloud.estate import service as estate
from cloud.fleet import service as fleet
from cloud.ingest.service import BatchRef, personal_items
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.metering.claims import record_session
from cloud.metering.sessions import SessionKind, SessionSource, UsageSession
from cloud.parking import reports, repository
from cloud.parking.events import PermitsChanged
from cloud.parking.kinds import Act, Settlement, StayState, VehicleClass
from cloud.parking.rules import Seen, Stay, introducing, stay_of
from cloud.parking.tables import ParkingEventRow, ParkingLotRow, ParkingPermitRow
from common.civil import civil_day
from common.clock import from_epoch_ms
from common.errors import RefusalError
from common.ids import CommunityId, GatewayId, PremisesId
from common.wire.batch import BatchContent
from common.wire.bundle import BundleKind
from common.wire.records import Entry, ParkingEvent

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitDraft:
    """A permit to be given; the plate is hashed at once and not stored. No lots means every lot of the community."""

    community_id: CommunityId
    plate: str
    vehicle_class: VehicleClass
    premises_id: PremisesId | None
    charge_to_account: bool
    space: str | None = None
    granted_minutes: int = 0
    lots: tuple[str, ...] = ()
    valid_from: datetime
    valid_to: datetime

    def __post_init__(self) -> None:
        """Check what a permit must say."""
        if not self.plate.strip():
            raise RefusalError("a permit names a plate; give it as it stands on the car")
        if self.valid_from >= self.valid_to:
            raise RefusalError("a permit ends after it begins; mend its dates")
        if self.granted_minutes < 0:
            raise RefusalError("a coupon grants minutes; give 0 or more")
        if self.charge_to_account and self.premises_id is None:
            raise RefusalError("a permit that charges a household names its premises")


async def add_lot(
    unit: Unit, community_id: CommunityId, *, lot: str, gateway_id: GatewayId, spaces: int | None
) -> None:
    """Register a car park and the gateway that works its barriers.

    Raises:
        ConflictError: the company has a lot of that name.
    """
    if any(row.lot == lot for row in await repository.lots(unit.session)):
        raise ConflictError(f"the lot {lot} exists; give the new one another name")
    unit.session.add(
        ParkingLotRow(
            tenant_id=unit.tenant,
            community_id=community_id,
            lot=lot,
            gateway_id=gateway_id,
            spaces=spaces,
            recorded_at=unit.now,
        )
    )
    await unit.session.flush()
    unit.record("added", "parking_lot", gateway_id, after={"lot": lot, "spaces": spaces})


async def give_permit(unit: Unit, draft: PermitDraft) -> UUID:
    """Give a permit and tell the gateways of the community's lots."""
    permit_id = unit.new_id()
    unit.session.add(
        ParkingPermitRow(
            tenant_id=unit.tenant,
            community_id=draft.community_id,
            permit_id=permit_id,
            plate_sha=plate_sha(draft.plate),
            vehicle_class=draft.vehicle_class,
            premises_id=draft.premises_id,
            charge_to_account=draft.charge_to_account,
            space=draft.space,
            granted_minutes=draft.granted_minutes,
            lots=list(draft.lots),
            valid_from=draft.valid_from,
            valid_to=draft.valid_to,
            recorded_at=unit.now,
        )
    )
    await unit.session.flush()
    unit.record("gave", "parking_permit", permit_id, after={"class": draft.vehicle_class, "lots": list(draft.lots)})
    await _tell_gates(unit, draft.community_id)
    return permit_id


async def end_permit(unit: Unit, community_id: CommunityId, permit_id: UUID, at: datetime) -> None:
    """Let a permit end at an instant, now at the earliest, and tell the gateways; one that has ended stays as it is.

    Raises:
        NotFoundError: the community has no such permit.
        ConflictError: it has not begun by then; it is still to be given another beginning, not an end.
    """
    row = await repository.permit(unit.session, community_id, permit_id)
    if row is None:
        raise NotFoundError(f"there is no permit {permit_id}")
    end = max(at, unit.now)
    if row.valid_to <= end:
        return
    if row.valid_from >= end:
        end = row.valid_from + _INSTANT
    row.valid_to = end
    unit.record("ended", "parking_permit", permit_id, after={"valid_to": end.isoformat()})
    await _tell_gates(unit, community_id)


async def _tell_gates(unit: Unit, community_id: CommunityId) -> None:
    gateways = {row.gateway_id for row in await repository.lots(unit.session) if row.community_id == community_id}
    for gateway_id in sorted(gateways):
        unit.publish(PermitsChanged(gateway_id=GatewayId(gateway_id), change_id=unit.new_id()))


async def publish_permits(unit: Unit, gateway_id: GatewayId) -> None:
    """Publish the permits of every community whose lots a gateway works; unchanged ones make no new version."""
    communities = {CommunityId(row.community_id) for row in await repository.gateway_lots(unit.session, gateway_id)}
    permits = [_permit(row) for row in await repository.permits(unit.session, communities)]
    await fleet.publish_bundle(unit, gateway_id, BundleKind.PERMITS, {"permits": permits})


async def take_acts(unit: Unit, content: BatchContent) -> None:
    """Store the acts of one batch and work out the stays they belong to; again changes nothing."""
    lots = {row.lot: row for row in await repository.lots(unit.session)}
    rows: list[Mapping[str, Any]] = []
    for entry, act in content.records(ParkingEvent):
        lot = lots.get(act.lot)
        if lot is None:
            await cases.raise_case(unit, reports.unknown_lot(content.header.gateway_id, act.lot))
        else:
            rows.append(_event_values(unit, content, entry, act, CommunityId(lot.community_id)))
    await repository.add_events(unit.session, rows)
    unit.record("took", "parking_event", content.header.gateway_id, after={"acts": len(rows)})
    touched = {row["session_id"] for row in rows if row["session_id"] is not None}
    by_session: dict[UUID, list[ParkingEventRow]] = defaultdict(list)
    for row in await repository.events_of(unit.session, touched):
        if row.session_id is not None:
            by_session[row.session_id].append(row)
    for session_id in sorted(by_session):
        await _settle(unit, session_id, by_session[session_id])


def plate_sha(plate: str) -> str:
    """Return the hash by which the gate knows a plate."""
    return sha256(plate.strip().upper().encode()).hexdigest()


async def _settle(unit: Unit, session_id: UUID, rows: Sequence[ParkingEventRow]) -> None:
    acts = [seen_of(row) for row in rows]
    stay, lot, community_id = stay_of(acts), rows[0].lot, CommunityId(rows[0].community_id)
    premises_id = None
    if stay.settlement is Settlement.ACCOUNT:
        permit = await _household(unit, rows, stay)
        premises_id = None if permit is None else permit.premises_id
        await _charge(unit, session_id, rows, stay, permit)
    elif stay.state is StayState.VOID and any(act.reason == reports.LOST_EXIT for act in acts):
        await cases.raise_case(unit, reports.lost_exit(community_id, session_id, lot, stay.entered_at))
    elif stay.settlement is Settlement.UNPAID:
        await cases.raise_case(unit, reports.unpaid(community_id, session_id, lot, stay.quote_fen))
    values = {
        "tenant_id": unit.tenant,
        "community_id": community_id,
        "session_id": session_id,
        "lot": lot,
        "vehicle_class": stay.vehicle_class,
        "entered_at": stay.entered_at,
        "left_at": stay.left_at,
        "state": stay.state,
        "settlement": stay.settlement,
        "quote_fen": stay.quote_fen,
        "paid_fen": stay.paid_fen,
        "premises_id": premises_id,
    }
    await repository.save_session(unit.session, values)


async def _charge(
    unit: Unit, session_id: UUID, rows: Sequence[ParkingEventRow], stay: Stay, permit: ParkingPermitRow | None
) -> None:
    """Hand a stay that has left to metering as one-shot usage, or to a person when something about it is unknown."""
    first = rows[0]
    community_id, left_at = CommunityId(first.community_id), stay.left_at
    if left_at is None:
        return
    if stay.entered_at is None:
        await cases.raise_case(unit, reports.no_entry(community_id, session_id, first.lot, left_at))
    elif permit is None or permit.premises_id is None:
        await cases.raise_case(unit, reports.no_household(community_id, session_id, first.lot, left_at))
    else:
        community = await estate.community(unit.session, community_id)
        usage = UsageSession(
            session_id=session_id,
            community_id=community_id,
            kind=SessionKind.PARKING,
            place=first.lot,
            premises_id=PremisesId(permit.premises_id),
            permit_id=permit.permit_id,
            started_at=stay.entered_at,
            ended_at=max(left_at, stay.entered_at),
            ended_day=civil_day(max(left_at, stay.entered_at), community.zone),
            facts={"vehicle_class": stay.vehicle_class, "granted_minutes": permit.granted_minutes},
            sources=_sources(rows),
        )
        await record_session(unit, usage)
        for reason in (reports.NO_HOUSEHOLD, reports.NO_ENTRY):
            await cases.close_settled(unit, session_id, reason_code=reason, subject="", because="charged since")


def _sources(rows: Sequence[ParkingEventRow]) -> tuple[SessionSource, ...]:
    """Return the batches that told of a stay, each once."""
    told = {(row.gateway_id, row.store_epoch, row.sequence) for row in rows}
    return tuple(
        SessionSource(gateway_id=gateway_id, epoch=epoch, sequence=sequence)
        for gateway_id, epoch, sequence in sorted(told)
    )


async def _household(unit: Unit, rows: Sequence[ParkingEventRow], stay: Stay) -> ParkingPermitRow | None:
    """Return the permit of a household that covered the vehicle when it left, or None."""
    return None if stay.left_at is None else await permit_of(unit.session, rows, stay, stay.left_at)


async def permit_of(
    session: AsyncSession, rows: Sequence[ParkingEventRow], stay: Stay, at: datetime
) -> ParkingPermitRow | None:
    """Return the permit of a household that covers the vehicle of a stay at an instant, or None."""
    if stay.vehicle is None:
        return None
    first = introducing([seen_of(row) for row in rows], stay.vehicle)
    source = next(row for row in rows if row.event_id == first.event_id)
    ref = BatchRef(gateway_id=GatewayId(source.gateway_id), epoch=source.store_epoch, sequence=source.sequence)
    plates = [item.value for item in await personal_items(session, ref) if item.item_id == stay.vehicle]
    if not plates:
        return None
    found = await repository.permits_of_plate(session, CommunityId(source.community_id), plate_sha(plates[0]), at)
    charged = [row for row in found if row.charge_to_account and (not row.lots or source.lot in row.lots)]
    return charged[0] if charged and charged[0].premises_id is not None else None


def seen_of(row: ParkingEventRow) -> Seen:
    """Return an act as the rules see it."""
    return Seen(
        event_id=row.event_id,
        act=row.act,
        at=row.at,
        entered_at=row.entered_at,
        vehicle=row.vehicle,
        vehicle_class=row.vehicle_class,
        reason=row.reason,
        quote_fen=row.quote_fen,
    )


def _event_values(
    unit: Unit, content: BatchContent, entry: Entry, act: ParkingEvent, community_id: CommunityId
) -> Mapping[str, Any]:
    return {
        "tenant_id": unit.tenant,
        "community_id": community_id,
        "event_id": act.event_id,
        "lot": act.lot,
        "act": Act(act.what),
        "session_id": act.session_id,
        "vehicle": act.vehicle,
        "vehicle_class": act.vehicle_class,
        "at": from_epoch_ms(act.camera_ms) if act.offline else entry.stamp.at,
        "entered_at": None if act.entered_ms is None else from_epoch_ms(act.entered_ms),
        "decision": act.decision,
        "reason": act.reason,
        "offline": act.offline,
        "quote_fen": act.quote_fen,
        "tariff_code": act.tariff_code,
        "tariff_from": None if act.tariff_from is None else date.fromisoformat(act.tariff_from),
        "tariff_rev": act.tariff_rev,
        "gateway_id": content.header.gateway_id,
        "store_epoch": content.header.epoch,
        "sequence": content.header.sequence,
        "recorded_at": unit.now,
    }


def _permit(row: ParkingPermitRow) -> dict[str, Any]:
    return {
        "class": str(row.vehicle_class),
        "plate_sha": row.plate_sha,
        "premises_id": None if row.premises_id is None else str(row.premises_id),
        "charge_to_account": row.charge_to_account,
        "space": row.space,
        "granted_minutes": row.granted_minutes,
        "lots": list(row.lots),
        "valid_from": row.valid_from.isoformat(),
        "valid_to": row.valid_to.isoformat(),
    }
