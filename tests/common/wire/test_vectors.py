"""The bytes of format 1 are frozen: a change that alters them needs a new format number, not a new vector.

The signed bytes were checked with an independent COSE library when they were recorded (`oracle_signatures.json`), and
the unpacked content against `common/wire/schema.cddl` with an independent CDDL validator.
"""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

from common.wire import codec
from common.wire.batch import BatchContent, PersonalItem
from common.wire.bundle import Bundle, BundleKind, open_bundle, sign_bundle
from common.wire.columns import arrange
from common.wire.limits import BUNDLE_UNPACKED_MAX, CONTENT_BYTES_MAX
from common.wire.receipt import (
    ItemOutcome,
    ItemVerdict,
    Receipt,
    Section,
    SequenceRange,
    open_receipt,
    sign_receipt,
)
from common.wire.records import (
    AccessEvent,
    AnomalyNote,
    BundleEffect,
    Evidence,
    Gap,
    GapReason,
    Health,
    KioskReceipt,
    Note,
    ParkingEvent,
    ProvisionalLine,
)
from common.wire.refusal import Refusal
from common.wire.requests import (
    EnrolmentRequest,
    Poll,
    open_enrolment,
    open_request,
    read_poll,
    sign_enrolment,
    sign_poll,
)
from common.wire.sequence import Outcome
from common.wire.signing import Purpose, open_envelope, sign, verify
from common.wire.stamp import Anchor, ClockSource
from tests.common.wire.builders import (
    CLOUD_KEY,
    GATEWAY,
    GATEWAY_KEY,
    METER,
    NOW_MS,
    OTHER_METER,
    QUARTER_MS,
    TRUSTED,
    content,
    header,
    row,
    sample,
    series,
)

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text(encoding="utf-8"))
EVENT = UUID(int=0x0197_0000_0000_7000_8000_0000_0000_0201)
PLATE = PersonalItem(item_id=UUID(int=0x301), retention="parking", kind="plate", value="沪A12345")
SALT = bytes(range(16))


# One of each thing that a batch can carry beside its series.
ITEMS = (
    Gap(
        meter_id=METER,
        quantities=("energy_forward",),
        first_slot_ms=NOW_MS + 2 * QUARTER_MS,
        last_slot_ms=NOW_MS + 2 * QUARTER_MS,
        slots=1,
        reason=GapReason.NO_ANSWER,
        detail="no answer in 500 ms",
    ),
    Evidence(
        meter_id=METER,
        serial="202611230001",
        slot_ms=NOW_MS,
        profile="dlt645-2007@1",
        request=bytes.fromhex("68010023112620681104333333333316"),
        response=bytes.fromhex("6801002311262068910833333333936845347916"),
    ),
    ParkingEvent(
        event_id=EVENT,
        lot="east",
        what="entry",
        session_id=EVENT,
        vehicle=PLATE.item_id,
        vehicle_class="temporary",
        camera="cam-1",
        camera_ms=NOW_MS,
        decision="open",
        reason="temporary",
        quote_fen=0,
        tariff_code="parking",
        tariff_rev=1,
        tariff_from="2026-01-01",
        entered_ms=NOW_MS,
    ),
    AccessEvent(event_id=EVENT, door="gate 2", decision="open", reason="permit", holder=None),
    KioskReceipt(event_id=EVENT, kiosk="k1", bill_number="E-2026-1", amount_fen=12_345, channel="wechat"),
    ProvisionalLine(
        meter_id=METER,
        charge_code="electricity",
        period_start="2026-02-01",
        period_end="2026-03-01",
        usage_milli=151_000,
        amount_fen=7_950,
        tariff_code="ele-res",
        tariff_from="2026-01-01",
        tariff_rev=1,
        tariff_sha="ab" * 32,
        input_sha="cd" * 32,
    ),
    AnomalyNote(meter_id=OTHER_METER, quantity="flow", rule="night_flow", slot_ms=NOW_MS, value_milli=6, limit_milli=2),
    Health(counters={"timeouts": 3, "crc_errors": 0}),
    BundleEffect(kind="site", version=3, effect="good", detail=""),
    Note(what="boot", detail="power"),
)


def everything() -> tuple[BatchContent, tuple[bytes, ...]]:
    """Return a batch with one of each thing, and its personal lane."""
    ref, body = codec.pack_personal(PLATE, SALT)
    columns, _ = arrange(
        [
            sample(0, 0, 1_234_560),
            sample(0, 1, 1_234_570, quality=8),
            sample(0, 3, 1_234_990),
            sample(1, 0, 55, late_ms=90_000),
        ]
    )
    made = content(
        *ITEMS,
        header=header(5, bytes(range(32)), previous_epoch=9),
        anchors=(Anchor(boot_no=3, boot_ms=1, utc_ms=NOW_MS, source=ClockSource.SYNCHRONISED, uncertainty_ms=10),),
        series=(series(), series(OTHER_METER, "power")),
        columns=columns,
        rows=(row(NOW_MS + 1, 7, 1),),
        personal=(ref,),
    )
    return made, (body,)


RECEIPT = Receipt(
    gateway_id=GATEWAY,
    epoch=77,
    sequence=5,
    digest=bytes(32),
    outcome=Outcome.PENDING,
    refusal=Refusal.ALTERED,
    items=(ItemOutcome(section=Section.SERIES, place=1, verdict=ItemVerdict.KEPT, reason="unknown meter"),),
    contiguous=3,
    asked=(SequenceRange(first=4, last=4),),
    pace_ms=250,
    received_ms=NOW_MS,
)
BUNDLE = Bundle(
    gateway_id=GATEWAY,
    kind=BundleKind.TARIFFS,
    version=3,
    made_ms=NOW_MS,
    expires_ms=NOW_MS + 1,
    body={"revisions": [{"tariff_code": "ele-res", "rev": 1}]},
)
ENROLMENT = EnrolmentRequest(code="K7QF-29MX-PT4D", public_key=GATEWAY_KEY.public_key, epoch=77, hardware="pi 5")
POLL = Poll(gateway_id=GATEWAY, challenge=SALT, have={"site": 3, "tariffs": 12}, wait_s=25)


def test_the_batch_has_its_frozen_bytes() -> None:
    made, bodies = everything()
    payload = codec.pack_content(made)
    assert codec.expand(payload, CONTENT_BYTES_MAX, "it").hex() == VECTORS["batch_content"]
    assert bodies[0].hex() == VECTORS["personal_body"]


def test_the_frozen_parcel_is_read_and_verifies() -> None:
    made, bodies = everything()
    parcel = codec.unpack_parcel(bytes.fromhex(VECTORS["parcel"]))
    payload = verify(open_envelope(parcel.signed, Purpose.BATCH), GATEWAY_KEY.public_key)
    assert parcel.personal == bodies
    assert parcel.digest.hex() == VECTORS["batch_digest"]
    assert codec.unpack_content(payload) == made
    assert sign(GATEWAY_KEY, Purpose.BATCH, payload) == parcel.signed


def test_the_receipt_has_its_frozen_bytes() -> None:
    assert sign_receipt(RECEIPT, CLOUD_KEY).hex() == VECTORS["receipt"]
    assert open_receipt(bytes.fromhex(VECTORS["receipt"]), TRUSTED) == RECEIPT


def test_the_frozen_bundle_is_read_and_its_content_is_unchanged() -> None:
    frozen = open_envelope(bytes.fromhex(VECTORS["bundle"]), Purpose.BUNDLE)
    now = open_envelope(sign_bundle(BUNDLE, CLOUD_KEY), Purpose.BUNDLE)
    assert open_bundle(bytes.fromhex(VECTORS["bundle"]), TRUSTED) == BUNDLE
    assert codec.expand(frozen.payload, BUNDLE_UNPACKED_MAX, "it") == codec.expand(
        now.payload, BUNDLE_UNPACKED_MAX, "it"
    )


def test_the_requests_have_their_frozen_bytes() -> None:
    assert sign_enrolment(ENROLMENT, GATEWAY_KEY).hex() == VECTORS["enrolment"]
    assert open_enrolment(bytes.fromhex(VECTORS["enrolment"])) == ENROLMENT
    assert sign_poll(POLL, GATEWAY_KEY).hex() == VECTORS["poll"]
    envelope = open_request(bytes.fromhex(VECTORS["poll"]), Purpose.POLL)
    assert read_poll(verify(envelope, GATEWAY_KEY.public_key)) == POLL
