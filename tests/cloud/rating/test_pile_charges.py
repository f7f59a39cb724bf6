"""A charge at a pile as a line: energy by window, service and idling, from the registers the gateway sealed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import yaml

from cloud.metering.sessions import SessionKind, UsageSession
from cloud.rating.visits import rate_sessions
from cloud.tariffs.assignment import Target, TargetKind
from cloud.tariffs.charge import ChargeBasis
from common.clock import to_epoch_ms
from common.rating.charge import IDLE_FACT, SAMPLES_FACT, pack_samples
from tests.cloud.rating.town import COMMUNITY, MARCH, Town, flat, item, only_drafts, only_exceptions

FILE = Path(__file__).parents[3] / "firmware-config" / "tariffs" / "charging" / "pile-tou.yaml"
CHARGING = item("charging", ChargeBasis.PARKING)
START = datetime(2026, 3, 3, 6, tzinfo=UTC)  # two in the afternoon in Shanghai: an hour of peak, then flat


def charged(*registers: int, idle: int = 0) -> UsageSession:
    samples = [(to_epoch_ms(START + n * timedelta(hours=1)), wh) for n, wh in enumerate(registers)]
    return UsageSession(
        session_id=UUID(int=1),
        community_id=COMMUNITY,
        kind=SessionKind.CHARGING,
        place="P1",
        premises_id=flat(1),
        started_at=START,
        ended_at=START + timedelta(hours=len(registers) - 1),
        ended_day=START.date(),
        facts={SAMPLES_FACT: pack_samples(samples), IDLE_FACT: idle},
    )


def town(session: UsageSession) -> Town:
    built = Town()
    built.live(1, p1=(MARCH.start, MARCH.end))
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    built.charge(CHARGING, built.price(document), target=Target(kind=TargetKind.LOT, key="P1"))
    built.sessions.append(session)
    return built


def test_a_charge_is_one_line_of_windows_service_and_idling() -> None:
    built = town(charged(0, 10_000, 20_000, idle=40))
    (draft,) = only_drafts(list(rate_sessions(built.desk(), CHARGING, {place.id: place for place in built.premises})))
    assert draft.request.windows_milli == {"peak": 10_000, "flat": 10_000, "valley": 0}
    assert draft.line.amount_fen == 1200 + 800 + 800 + 500
    assert (draft.quantity_milli, draft.session_id) == (20_000, UUID(int=1))


def test_registers_that_fall_are_an_exception_not_a_free_charge() -> None:
    built = town(charged(20_000, 10_000))
    (missing,) = only_exceptions(
        list(rate_sessions(built.desk(), CHARGING, {place.id: place for place in built.premises}))
    )
    assert missing.object_id == UUID(int=1)
