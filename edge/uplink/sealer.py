"""Builds and signs a batch from the rows of the store; runs on a thread beside loop and writer and does no I/O.

What would break the bounds of the wire is replaced by a note that says so: one bad record must never stop the stream.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from common.ids import GatewayId
from common.wire import codec
from common.wire.batch import VERSION, BatchContent, BatchHeader, PersonalItem, PersonalRef, Series
from common.wire.columns import Sample, arrange
from common.wire.entries import fits_the_wire
from common.wire.limits import PERSONAL_BODY_BYTES_MAX
from common.wire.records import Entry, Note
from common.wire.signing import Purpose, SigningKey, sign
from edge.buffer.records import EventRow, Sealed, SealMaterial
from edge.buffer.records import Series as StoredSeries

UNSEALABLE = "unsealable"


class Signer(Protocol):
    """Who signs: the gateway's id and its key of the moment."""

    @property
    def gateway_id(self) -> GatewayId:
        """Return the gateway's id."""
        ...

    @property
    def key(self) -> SigningKey:
        """Return the key that signs now."""
        ...


class BatchSealer:
    """The sealer of an enrolled gateway; it seals one batch at a time."""

    def __init__(self, signer: Signer, entropy: Callable[[int], bytes]) -> None:
        self._signer = signer
        self._entropy = entropy
        self._stored: tuple[StoredSeries, ...] = ()
        self._dictionary: tuple[tuple[Series, ...], dict[int, int]] = ((), {})

    def __call__(self, material: SealMaterial) -> Sealed:
        """Return the parcel to send and the digest that the next batch names."""
        if material.series != self._stored:  # the same meters answer at every slot
            self._stored, self._dictionary = material.series, _dictionary(material.series)
        series, numbers = self._dictionary
        columns, rows = arrange(
            [
                Sample(numbers[point_no], slot_ms, value_milli, quality, stamp)
                for _, point_no, slot_ms, value_milli, quality, stamp in material.readings
            ]
        )
        entries, refs, bodies = self._entries(material.events)
        content = BatchContent(
            header=BatchHeader(
                version=VERSION,
                gateway_id=self._signer.gateway_id,
                epoch=material.epoch,
                previous_epoch=material.previous_epoch,
                sequence=material.number,
                previous_hash=material.previous_hash,
                made=material.made,
            ),
            anchors=material.anchors,
            series=series,
            columns=columns,
            rows=rows,
            entries=entries,
            personal=refs,
        )
        signed = sign(self._signer.key, Purpose.BATCH, codec.pack_content(content))
        parcel = codec.Parcel(signed=signed, personal=bodies)
        return Sealed(body=codec.pack_parcel(parcel.signed, parcel.personal), digest=parcel.digest)

    def _entries(
        self, events: Sequence[EventRow]
    ) -> tuple[tuple[Entry, ...], tuple[PersonalRef, ...], tuple[bytes, ...]]:
        entries: list[Entry] = []
        refs: list[PersonalRef] = []
        bodies: list[bytes] = []
        for event in events:
            if isinstance(event.record, PersonalItem):
                ref, body = codec.pack_personal(event.record, self._entropy(codec.SALT_BYTES))
                if len(body) <= PERSONAL_BODY_BYTES_MAX:
                    refs.append(ref)
                    bodies.append(body)
                    continue
                entries.append(_unsealable(event))
            else:
                entry = Entry(seq=event.seq, stamp=event.stamp, record=event.record)
                entries.append(entry if fits_the_wire(entry) else _unsealable(event))
        return tuple(entries), tuple(refs), tuple(bodies)


def _unsealable(event: EventRow) -> Entry:
    """Return the note that takes the place of a record too large for the wire; it names the kind, never the content."""
    return Entry(seq=event.seq, stamp=event.stamp, record=Note(what=UNSEALABLE, detail=event.record.KIND))


def _dictionary(stored: Sequence[StoredSeries]) -> tuple[tuple[Series, ...], dict[int, int]]:
    """Return the series ordered by meter, which packs best, and the place of each point number in them."""
    ordered = sorted(stored, key=lambda series: (series.meter_id, series.quantity, series.point_no))
    dictionary = tuple(
        Series(meter_id=series.meter_id, quantity=series.quantity, unit=series.unit, profile=series.profile)
        for series in ordered
    )
    return dictionary, {series.point_no: place for place, series in enumerate(ordered)}
