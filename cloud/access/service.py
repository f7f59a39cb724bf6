"""Use cases of access: doors and piles, card permits told to gateways, charges that become a household's usage once.

Nothing here asks what anybody owes, and nothing that does may be asked from here: a permit is about a card, places and
days. A card is looked up in the personal lane for the moment of the match and stored nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.access import reports, repository
from cloud.access.events import CardsChanged
from cloud.access.kinds import ChargeState, PlaceKind
from cloud.access.tables import AccessPermitRow, AccessPlaceRow
from cloud.cases import service as cases
from cloud.estate import service as estate
from cloud.fleet import service as fleet
from cloud.ingest.service import BatchRef, personal_items
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.metering.claims import record_session
from cloud.metering.sessions import SessionKind, SessionSource, UsageSession
from common.civil import civil_day
from common.clock import from_epoch_ms
from common.errors import RefusalError
from common.ids import CommunityId, GatewayId, PremisesId
from common.rating.charge import IDLE_FACT, SAMPLES_FACT, idle_minutes, pack_samples
from common.wire.batch import BatchContent
from common.wire.bundle import BundleKind
from common.wire.records import AccessEvent, ChargingEvent, Entry

_BILLED = frozenset({"ended", "interrupted"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CardDraft:
    """A permit to be given; the card is hashed at once and not stored."""

    community_id: CommunityId
    card: str
    premises_id: PremisesId | None
    places: tuple[str, ...]
    valid_from: datetime
    valid_to: datetime

    def __post_init__(self) -> None:
        """Check what a permit must say."""
        if not self.card.strip():
            raise RefusalError("a permit names a card; hold the card to the reader or type its number")
        if not self.places:
            raise RefusalError("a permit opens something; name a door or a charging pile")
        if self.valid_from >= self.valid_to:
            raise RefusalError("a permit ends after it begins; mend its dates")


async def add_place(
    unit: Unit, community_id: CommunityId, *, place: str, kind: PlaceKind, gateway_id: GatewayId
) -> None:
    """Register a door or a charging pile and the gateway that works it.

    Raises:
        ConflictError: the company has one of that name.
    """
    if any(row.place == place for row in await repository.places(unit.session)):
        raise ConflictError(f"{place} exists; give the new one another name")
    unit.session.add(
        AccessPlaceRow(
            tenant_id=unit.tenant,
            community_id=community_id,
            place=place,
            kind=kind,
            gateway_id=gateway_id,
            recorded_at=unit.now,
        )
    )
    await unit.session.flush()
    unit.record("added", "access_place", gateway_id, after={"place": place, "kind": kind})


async def give_card(unit: Unit, draft: CardDraft) -> UUID:
    """Give a permit and tell the gateways of its places.

    Raises:
        NotFoundError: the community has no such door or pile.
    """
    known = {row.place for row in await repository.places(unit.session) if row.community_id == draft.community_id}
    unknown = sorted(set(draft.places) - known)
    if unknown:
        raise NotFoundError(f"there is no door or pile {', '.join(unknown)} in this community")
    permit_id = unit.new_id()
    unit.session.add(
        AccessPermitRow(
            tenant_id=unit.tenant,
            community_id=draft.community_id,
            permit_id=permit_id,
            card_sha=card_sha(draft.card),
            premises_id=draft.premises_id,
            places=list(draft.places),
            valid_from=draft.valid_from,
            valid_to=draft.valid_to,
            revoked_at=None,
            recorded_at=unit.now,
        )
    )
    await unit.session.flush()
    unit.record("gave", "access_permit", permit_id, after={"places": list(draft.places)})
    await _tell_gateways(unit, draft.community_id)
    return permit_id


async def revoke_card(unit: Unit, community_id: CommunityId, permit_id: UUID, reason: str) -> None:
    """Revoke a permit now and tell the gateways; one that is revoked stays so.

    Raises:
        NotFoundError: the community has no such permit.
    """
    row = await repository.permit(unit.session, community_id, permit_id)
    if row is None:
        raise NotFoundError(f"there is no permit {permit_id}")
    if row.revoked_at is not None:
        return
    row.revoked_at = unit.now
    unit.record("revoked", "access_permit", permit_id, after={"reason": reason})
    await _tell_gateways(unit, community_id)


async def publish_cards(unit: Unit, gateway_id: GatewayId) -> None:
    """Publish the permits that open something of a gateway; unchanged ones make no new version."""
    places = [row for row in await repository.places(unit.session) if row.gateway_id == gateway_id]
    own = {row.place: row.kind for row in places}
    communities = {CommunityId(row.community_id) for row in places}
    given = await repository.permits(unit.session, communities)
    permits = [_told(row, own) for row in given if set(row.places) & own.keys()]
    await fleet.publish_bundle(unit, gateway_id, BundleKind.ACCESS, {"permits": permits})


async def take_uses(unit: Unit, content: BatchContent) -> None:
    """Store the acts and charges of one batch; a household's charge becomes its usage. Again changes nothing."""
    places = {row.place: row for row in await repository.places(unit.session)}
    taken = 0
    for entry, act in content.records(AccessEvent):
        place = places.get(act.door)
        if place is None:
            await cases.raise_case(unit, reports.unknown_place(content.header.gateway_id, act.door))
            continue
        await repository.add_act(unit.session, _act_values(unit, content, entry, act, CommunityId(place.community_id)))
        taken += 1
    for _, charge in content.records(ChargingEvent):
        place = places.get(charge.pile)
        if place is None:
            await cases.raise_case(unit, reports.unknown_place(content.header.gateway_id, charge.pile))
            continue
        await _take_charge(unit, content, charge, CommunityId(place.community_id))
        taken += 1
    unit.record("took", "access_act", content.header.gateway_id, after={"acts": taken})


def card_sha(card: str) -> str:
    """Return the hash by which the gateways know a card; leading zeros do not count."""
    plain = card.strip().upper()
    return sha256((plain.lstrip("0") or "0").encode()).hexdigest()


async def _tell_gateways(unit: Unit, community_id: CommunityId) -> None:
    gateways = {row.gateway_id for row in await repository.places(unit.session) if row.community_id == community_id}
    for gateway_id in sorted(gateways):
        unit.publish(CardsChanged(gateway_id=GatewayId(gateway_id), change_id=unit.new_id()))


async def _take_charge(unit: Unit, content: BatchContent, charge: ChargingEvent, community_id: CommunityId) -> None:
    billed = charge.what in _BILLED and charge.session_id is not None
    permit = await _permit_of(unit.session, content, charge, community_id) if billed else None
    state = ChargeState.STRAY if not billed else ChargeState.NOBODY if permit is None else ChargeState.CHARGED
    energy_wh = charge.sample_wh[-1] - charge.sample_wh[0]
    idle = idle_minutes(charge.idle_from_ms, charge.idle_to_ms)
    ended = from_epoch_ms(charge.ended_ms)
    fresh = await repository.add_charge(
        unit.session,
        {
            "tenant_id": unit.tenant,
            "community_id": community_id,
            "event_id": charge.event_id,
            "session_id": charge.session_id,
            "place": charge.pile,
            "connector": charge.connector,
            "what": charge.what,
            "started_at": from_epoch_ms(charge.started_ms),
            "ended_at": ended,
            "energy_wh": energy_wh,
            "idle_minutes": idle,
            "reason": charge.reason,
            "state": state,
            "premises_id": None if permit is None else permit.premises_id,
            "quote_fen": charge.quote_fen,
            "gateway_id": content.header.gateway_id,
            "store_epoch": content.header.epoch,
            "sequence": content.header.sequence,
            "recorded_at": unit.now,
        },
    )
    if not fresh:
        return
    if state is ChargeState.STRAY:
        await cases.raise_case(unit, reports.stray(community_id, charge.event_id, charge.pile, charge.what, energy_wh))
    elif permit is None or charge.session_id is None:
        await cases.raise_case(unit, reports.nobody(community_id, charge.event_id, charge.pile, ended, energy_wh))
    else:
        await _use(unit, content, charge, permit, idle)


async def _use(unit: Unit, content: BatchContent, charge: ChargingEvent, permit: AccessPermitRow, idle: int) -> None:
    """Hand the charge to metering as one-shot usage."""
    community = await estate.community(unit.session, CommunityId(permit.community_id))
    started, ended = from_epoch_ms(charge.started_ms), from_epoch_ms(charge.ended_ms)
    header = content.header
    usage = UsageSession(
        session_id=charge.session_id or charge.event_id,
        community_id=community.id,
        kind=SessionKind.CHARGING,
        place=charge.pile,
        premises_id=PremisesId(permit.premises_id or permit.permit_id),
        started_at=started,
        ended_at=max(ended, started),
        ended_day=civil_day(max(ended, started), community.zone),
        facts={
            SAMPLES_FACT: pack_samples(list(zip(charge.sample_ms, charge.sample_wh, strict=True))),
            IDLE_FACT: idle,
        },
        sources=(SessionSource(gateway_id=header.gateway_id, epoch=header.epoch, sequence=header.sequence),),
    )
    await record_session(unit, usage)


async def _permit_of(
    session: AsyncSession, content: BatchContent, charge: ChargingEvent, community_id: CommunityId
) -> AccessPermitRow | None:
    """Return the permit of a household under which a card charged, or None."""
    header = content.header
    ref = BatchRef(gateway_id=header.gateway_id, epoch=header.epoch, sequence=header.sequence)
    cards = [item.value for item in await personal_items(session, ref) if item.item_id == charge.holder]
    if not cards:
        return None
    started = from_epoch_ms(charge.started_ms)
    found = await repository.permits_of_card(session, community_id, card_sha(cards[0]), started)
    return next((row for row in found if charge.pile in row.places and row.premises_id is not None), None)


def _act_values(
    unit: Unit, content: BatchContent, entry: Entry, act: AccessEvent, community_id: CommunityId
) -> dict[str, Any]:
    return {
        "tenant_id": unit.tenant,
        "community_id": community_id,
        "event_id": act.event_id,
        "place": act.door,
        "at": entry.stamp.at,
        "decision": act.decision,
        "reason": act.reason,
        "holder": act.holder,
        "gateway_id": content.header.gateway_id,
        "store_epoch": content.header.epoch,
        "sequence": content.header.sequence,
        "recorded_at": unit.now,
    }


def _told(row: AccessPermitRow, own: dict[str, PlaceKind]) -> dict[str, Any]:
    def of(kind: PlaceKind) -> list[str]:
        return sorted(place for place in row.places if own.get(place) is kind)

    return {
        "card_sha": row.card_sha,
        "doors": of(PlaceKind.DOOR),
        "piles": of(PlaceKind.PILE),
        "valid_from": row.valid_from.isoformat(),
        "valid_to": row.valid_to.isoformat(),
        "revoked": row.revoked_at is not None,
    }
