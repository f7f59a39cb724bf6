"""What the uplink and the downlink see of the store; `edge.buffer.store.Store` is it.

Every call hands its work to the writer's thread and returns when the commit did. A batch is deleted only after
`settle` was given a receipt that verified, and then after the keep-time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from edge.buffer.records import BatchState, Lane, Record, SealedBatch, Sealer, StoredBundle


class Outbox(Protocol):
    """Rows become sealed batches, batches wait for receipts."""

    @property
    def epoch(self) -> int:
        """Return the store epoch: 63 random bits, new with each store file."""
        ...

    def use_sealer(self, sealer: Sealer) -> None:
        """Give the signer, once the gateway is enrolled; until then `seal` returns None and rows wait."""
        ...

    async def wait_rows(self) -> None:
        """Return when rows of any lane wait to be sealed."""
        ...

    async def wait_gate_rows(self) -> None:
        """Return when rows of the gate lane wait to be sealed."""
        ...

    async def seal(self, lanes: Sequence[Lane] = tuple(Lane)) -> SealedBatch | None:
        """Move waiting rows of the first lane that has any into one signed batch; None when no row waits."""
        ...

    async def pending(self, limit: int) -> Sequence[SealedBatch]:
        """Return batches without a receipt: gate lane first, then oldest first. Sealed bytes never change."""
        ...

    async def batch(self, number: int) -> SealedBatch | None:
        """Return one batch again, settled or not, when the cloud asks for it; None when it is gone."""
        ...

    async def tried(self, number: int) -> None:
        """Count one attempt to send the batch; the count is kept with the next commit, which nobody waits for."""
        ...

    async def settle(self, number: int, receipt: bytes, state: BatchState) -> None:
        """Keep the verified receipt and end the batch's waiting; a second time with the same state does nothing."""
        ...

    async def record(self, *records: Record, lane: Lane = Lane.MEASURE) -> None:
        """Store records; returns when they are committed."""
        ...


class BundleShelf(Protocol):
    """Downlink bundles by kind and version; the last good one stays until a newer one proved itself."""

    async def bundle(self, kind: str) -> StoredBundle | None:
        """Return the bundle in force: the newest in trial, else the newest good one."""
        ...

    async def save_bundle(self, bundle: StoredBundle) -> None:
        """Keep a bundle or change its state; a newer good one supersedes the older of its kind."""
        ...

    async def receive_time(self, utc_ms: int, uncertainty_ms: int) -> None:
        """Anchor the clock to the signed time of a receipt when nothing better is known."""
        ...
