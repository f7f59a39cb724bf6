"""The gate's decisions as a table; nobody is locked out, no camera repeat opens, no price is taken for zero."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest

from common.clock import to_epoch_ms
from common.tariff.revision import RevisionRef
from edge.gate.plan import Direction, Lot, NoPlate, Permit, UnpaidExit, VehicleClass
from edge.gate.rules import Quote, Sight, Stay, decide
from tests.edge.builders import START

LOT = Lot(lot="north", spaces=2, unpaid_exit=UnpaidExit.HOLD)
REVISION = RevisionRef(tariff_code="parking", effective_from=date(2026, 1, 1), rev=1, body_sha="ab")
STAY = Stay(
    session_id=UUID(int=1),
    lot="north",
    plate="苏A12345",
    vehicle=UUID(int=2),
    vehicle_class=VehicleClass.TEMPORARY,
    entered_ms=to_epoch_ms(START),
)
ENTERING = Sight(
    lot=LOT,
    direction=Direction.BOTH,
    plate="苏A12345",
    seen_at=START,
    offline=False,
    permit=None,
    stay=None,
    quote=None,
    occupied=0,
)


def leaving(fen: int | None, **changes: object) -> Sight:
    quote = None if fen is None else Quote(amount_fen=fen, revision=REVISION)
    sight = replace(ENTERING, stay=STAY, quote=quote, seen_at=START + timedelta(hours=3))
    return replace(sight, **changes)  # type: ignore[arg-type]  # fields by name


def permit(vehicle_class: VehicleClass, *, to_account: bool = False) -> Permit:
    return Permit(
        vehicle_class=vehicle_class,
        valid_from=START,
        valid_to=START + timedelta(days=30),
        premises_id=None,
        charge_to_account=to_account,
        lots=(),
    )


def paid(fen: int, before: timedelta) -> Stay:
    return replace(STAY, paid_fen=fen, paid_ms=to_epoch_ms(START + timedelta(hours=3) - before))


MINUTE = timedelta(minutes=1)
GRACE = LOT.exit_grace_minutes * MINUTE
TICKETS = replace(LOT, no_plate=NoPlate.TICKET)
UNREAD = replace(ENTERING, plate=None, direction=Direction.ENTRY)
# The words of a ruling: act (or -), decision, reason.
CASES: dict[str, tuple[Sight, str]] = {
    "a temporary car enters": (ENTERING, "entry open temporary"),
    "a permit enters": (replace(ENTERING, permit=permit(VehicleClass.MONTHLY)), "entry open permit"),
    "a full lot holds a stranger": (replace(ENTERING, occupied=2), "refused hold full"),
    "a full lot lets a permit in": (
        replace(ENTERING, occupied=2, permit=permit(VehicleClass.VIP)),
        "entry open permit",
    ),
    "a blacklisted car is held at the entry": (
        replace(ENTERING, permit=permit(VehicleClass.BLACKLISTED)),
        "refused hold blacklisted",
    ),
    "a blacklisted car inside may leave": (leaving(0, permit=permit(VehicleClass.BLACKLISTED)), "exit open free"),
    "an unread plate is a person's matter": (replace(ENTERING, plate=None), "refused hold no_plate"),
    "a car without a plate enters on a ticket where the lot issues them": (
        replace(UNREAD, lot=TICKETS),
        "entry open ticket",
    ),
    "a full lot issues no ticket": (replace(UNREAD, lot=TICKETS, occupied=2), "refused hold full"),
    "no ticket is issued at a lane that cars also leave by": (
        replace(UNREAD, lot=TICKETS, direction=Direction.BOTH),
        "refused hold no_plate",
    ),
    "no ticket is issued for a record from the past": (
        replace(UNREAD, lot=TICKETS, offline=True),
        "refused hold no_plate",
    ),
    "a lot says how long the way to the exit takes": (
        leaving(900, lot=replace(LOT, exit_grace_minutes=5), stay=paid(700, 6 * MINUTE)),
        "refused hold payment_due",
    ),
    "an offline entry never opens": (replace(ENTERING, offline=True), "entry hold offline_record"),
    "an offline exit never opens": (leaving(0, offline=True), "exit hold offline_record"),
    "a second look opens without a new act": (replace(ENTERING, just_passed=True), "- open repeated"),
    "an offline second look does not open": (
        leaving(0, offline=True, just_passed=True),
        "exit hold offline_record",
    ),
    "a free stay leaves": (leaving(0), "exit open free"),
    "an unpaid stay is held": (leaving(700), "refused hold payment_due"),
    "an unpriced stay is held, not free": (leaving(None), "refused hold no_price"),
    "a paid stay leaves": (leaving(700, stay=paid(700, 60 * MINUTE)), "exit open paid"),
    "a stay paid in part leaves within the grace": (leaving(900, stay=paid(700, GRACE)), "exit open paid"),
    "a stay paid in part is held after the grace": (
        leaving(900, stay=paid(700, GRACE + MINUTE)),
        "refused hold payment_due",
    ),
    "a stay on account leaves unpaid": (
        leaving(700, permit=permit(VehicleClass.TEMPORARY, to_account=True)),
        "exit open to_account",
    ),
    "a resident without a seen entry leaves": (
        leaving(None, stay=None, direction=Direction.EXIT, permit=permit(VehicleClass.MONTHLY)),
        "exit open permit",
    ),
    "a stranger without a seen entry is held": (
        leaving(None, stay=None, direction=Direction.EXIT),
        "refused hold no_entry",
    ),
    "a lot that lets go lets an unpaid car out": (
        leaving(700, lot=replace(LOT, unpaid_exit=UnpaidExit.OPEN)),
        "exit open unpaid_let_go",
    ),
}


@pytest.mark.parametrize(("sight", "words"), CASES.values(), ids=CASES.keys())
def test_the_ruling(sight: Sight, words: str) -> None:
    ruling = decide(sight)
    assert f"{ruling.act or '-'} {ruling.decision} {ruling.reason}" == words


def test_a_stay_is_charged_from_the_lapse_of_the_permit_that_covered_it() -> None:
    day_ms = 86_400_000
    covered = replace(STAY, covered_until_ms=STAY.entered_ms + day_ms)
    assert covered.charged_from_ms(STAY.entered_ms + day_ms // 2) == STAY.entered_ms + day_ms // 2
    assert covered.charged_from_ms(STAY.entered_ms + 3 * day_ms) == STAY.entered_ms + day_ms
    assert STAY.charged_from_ms(STAY.entered_ms + day_ms) == STAY.entered_ms
