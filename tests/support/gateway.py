"""A gateway in memory that seals true batches: for tests of what receives them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from common.clock import to_epoch_ms
from common.ids import GatewayId, MeterId
from common.wire import codec
from common.wire.batch import GENESIS, VERSION, BatchContent, BatchHeader, PersonalItem, Series
from common.wire.columns import Sample, arrange
from common.wire.records import Entry, Record
from common.wire.signing import Purpose, SigningKey, sign
from common.wire.stamp import ClockSource, Stamp
from tests.support.clock import SettableClock

SALT = bytes(16)
STEP_MS = 900_000


@dataclass(slots=True, kw_only=True)
class PaperGateway:
    """Seals batches one after another, each chained to the one before, and keeps them all."""

    gateway_id: GatewayId
    key: SigningKey
    clock: SettableClock
    epoch: int = 77
    sealed: list[bytes] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)

    def stamp(self) -> Stamp:
        """Return the present as the gateway would note it."""
        at_ms = to_epoch_ms(self.clock.now())
        return Stamp(boot_no=1, boot_ms=1, at_ms=at_ms, source=ClockSource.SYNCHRONISED, uncertainty_ms=10)

    def seal(
        self, *records: Record, meters: tuple[MeterId, ...] = (), plates: tuple[PersonalItem, ...] = (), **header: Any
    ) -> bytes:
        """Return the parcel of the next batch: the records, the personal items, and four readings of each meter.

        `samples=` gives other readings; header fields are replaced where given.
        """
        personal = [codec.pack_personal(item, SALT) for item in plates]
        content = self.content(records, meters, **header)
        refs = tuple(ref for ref, _ in personal)
        whole = BatchContent(
            header=content.header,
            series=content.series,
            columns=content.columns,
            entries=content.entries,
            personal=refs,
        )
        signed = sign(self.key, Purpose.BATCH, codec.pack_content(whole))
        self.digests.append(codec.Parcel(signed=signed).digest)
        self.sealed.append(codec.pack_parcel(signed, [body for _, body in personal]))
        return self.sealed[-1]

    def content(
        self,
        records: tuple[Record, ...],
        meters: tuple[MeterId, ...],
        samples: Sequence[Sample] | None = None,
        **header: Any,
    ) -> BatchContent:
        """Return the content of the next batch, header fields replaced where given."""
        columns, rows = arrange(self._four_readings(len(meters)) if samples is None else samples)
        facts: dict[str, Any] = {
            "version": VERSION,
            "gateway_id": self.gateway_id,
            "epoch": self.epoch,
            "previous_epoch": 0,
            "sequence": len(self.sealed) + 1,
            "previous_hash": self.digests[-1] if self.digests else GENESIS,
            "made": self.stamp(),
        }
        return BatchContent(
            header=BatchHeader(**{**facts, **header}),
            series=tuple(
                Series(meter_id=meter, quantity="energy_forward", unit="kWh", profile="test@1") for meter in meters
            ),
            columns=columns,
            rows=rows,
            entries=tuple(
                Entry(seq=number + 1, stamp=self.stamp(), record=record) for number, record in enumerate(records)
            ),
        )

    def _four_readings(self, meters: int) -> list[Sample]:
        start_ms = to_epoch_ms(self.clock.now()) - 4 * STEP_MS
        return [
            Sample(
                series=number,
                slot_ms=start_ms + slot * STEP_MS,
                value_milli=1_000_000 + 1_000 * slot,
                quality=0,
                stamp=Stamp(
                    boot_no=1,
                    boot_ms=slot,
                    at_ms=start_ms + slot * STEP_MS + 2_000,
                    source=ClockSource.SYNCHRONISED,
                    uncertainty_ms=10,
                ),
            )
            for number in range(meters)
            for slot in range(4)
        ]
