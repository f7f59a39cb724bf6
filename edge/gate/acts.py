"""From a ruling to what is stored for it: the session moved on, the event, the personal item behind it.

A plate or a ticket code stands in a `PersonalItem` and in the stays on board; every event refers to it by id.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from common.clock import Clock, to_epoch_ms
from common.ids import IdSource
from common.wire.batch import PersonalItem
from common.wire.records import ParkingEvent
from edge.buffer.records import Record, StageState
from edge.driver.gate_events import PlateSeen
from edge.gate.plan import GateLane
from edge.gate.rules import Act, Decision, Reason, Ruling, Sight, Stay, vehicle_class
from edge.gate.stays import StayBook

RETENTION = "parking"
_TICKETS = 10**6


@dataclass(slots=True, kw_only=True)
class Deed:
    """Records and states of one commit, and the ticket code that was given out, if one was."""

    records: list[Record] = field(default_factory=list)
    states: list[StageState] = field(default_factory=list)
    ticket: str | None = None


class Clerk:
    """Writes up what the gate decided."""

    def __init__(self, book: StayBook, clock: Clock, ids: IdSource) -> None:
        self._book = book
        self._clock = clock
        self._ids = ids

    def deed(self, lane: GateLane, seen: PlateSeen, sight: Sight, ruling: Ruling) -> Deed:
        """Move the sessions on and return what is stored for it."""
        deed = Deed()
        if ruling.act is None:
            return deed
        stay = sight.stay
        if ruling.act is Act.ENTRY and stay is not None:
            deed.records.append(self.by_hand(stay, "void", Reason.LOST_EXIT))
            deed.states.append(self._book.drop(stay))
            stay = None
        if ruling.reason is Reason.TICKET:
            deed.ticket = self._ticket()
        if stay is not None and sight.misread is not None:
            read = self.personal(sight.misread, "plate-misread")
            deed.records += (read, self.by_hand(stay, "corrected", Reason.MISREAD, read))
        name = deed.ticket or sight.plate
        item = None if name is None or stay is not None else self.personal(name, "ticket" if deed.ticket else "plate")
        if item is not None:
            deed.records.append(item)
        if ruling.act is Act.ENTRY and item is not None and not self._gone_since(lane, sight):
            stay = self._new_stay(lane, sight, item)
            deed.states.append(self._book.keep(stay))
        deed.records.append(self._event(lane, seen, sight, ruling, (stay, item)))
        if ruling.act is Act.EXIT and stay is not None:
            deed.states += self._book.end(stay, sight.seen_at)
        return deed

    def by_hand(
        self, stay: Stay, what: str, reason: Reason = Reason.BY_HAND, item: PersonalItem | None = None
    ) -> ParkingEvent:
        """Return the event of something that no camera saw; a settlement states the total paid."""
        return ParkingEvent(
            event_id=self._ids.new(),
            lot=stay.lot,
            what=what,
            session_id=stay.session_id,
            vehicle=stay.vehicle if item is None else item.item_id,
            vehicle_class=stay.vehicle_class.value,
            camera="",
            camera_ms=to_epoch_ms(self._clock.now()),
            decision=(Decision.OPEN if what == Act.EXIT else Decision.HOLD).value,
            reason=reason.value,
            quote_fen=stay.paid_fen if what == "settled" else None,
            entered_ms=stay.entered_ms,
        )

    def opened_by_hand(self, lane: GateLane, at: datetime) -> ParkingEvent:
        """Return the event of a barrier that a person opened without a session, for an ambulance for instance."""
        return ParkingEvent(
            event_id=self._ids.new(),
            lot=lane.lot,
            what=Act.EXIT.value,
            session_id=None,
            vehicle=None,
            vehicle_class="temporary",
            camera=lane.camera,
            camera_ms=to_epoch_ms(at),
            decision=Decision.OPEN.value,
            reason=Reason.BY_HAND.value,
        )

    def personal(self, text: str, kind: str = "plate") -> PersonalItem:
        """Return the personal item that holds a plate or a ticket code."""
        return PersonalItem(item_id=self._ids.new(), retention=RETENTION, kind=kind, value=text)

    def _gone_since(self, lane: GateLane, sight: Sight) -> bool:
        """Return whether a late record tells of an entry whose car has left since."""
        return sight.offline and self._book.left_after(lane.lot, sight.plate or "", sight.seen_at)

    def _ticket(self) -> str:
        """Return a code that no car inside has."""
        taken = {stay.plate for stay in self._book.stays.values()}
        while True:
            code = f"{self._ids.new().int % _TICKETS:06d}"
            if code not in taken:
                return code

    def _new_stay(self, lane: GateLane, sight: Sight, item: PersonalItem) -> Stay:
        permit = sight.permit
        covered = permit is not None and permit.covers
        return Stay(
            session_id=self._ids.new(),
            lot=lane.lot,
            plate=item.value,
            vehicle=item.item_id,
            vehicle_class=vehicle_class(permit),
            entered_ms=to_epoch_ms(sight.seen_at),
            covered_until_ms=to_epoch_ms(permit.valid_to) if permit is not None and covered else None,
            space=None if permit is None else permit.space,
            granted_minutes=0 if permit is None else permit.granted_minutes,
        )

    def _event(
        self,
        lane: GateLane,
        seen: PlateSeen,
        sight: Sight,
        ruling: Ruling,
        who: tuple[Stay | None, PersonalItem | None],
    ) -> ParkingEvent:
        stay, item = who
        quote = sight.quote if ruling.act is not Act.ENTRY else None
        vehicle = stay.vehicle if stay is not None else None if item is None else item.item_id
        return ParkingEvent(
            event_id=self._ids.new(),
            lot=lane.lot,
            what=Act.REFUSED.value if ruling.act is None else ruling.act.value,
            session_id=None if stay is None else stay.session_id,
            vehicle=vehicle,
            vehicle_class=vehicle_class(sight.permit).value,
            camera=lane.camera,
            camera_ms=to_epoch_ms(seen.seen_at),
            decision=ruling.decision.value,
            reason=ruling.reason.value,
            offline=sight.offline,
            quote_fen=None if quote is None else quote.amount_fen,
            tariff_code=None if quote is None else quote.revision.tariff_code,
            tariff_rev=None if quote is None else quote.revision.rev,
            tariff_from=None if quote is None else quote.revision.effective_from.isoformat(),
            entered_ms=None if stay is None else stay.entered_ms,
        )
