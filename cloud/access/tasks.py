"""Jobs of access: take the acts and charges of a batch, tell a gateway its cards."""

from __future__ import annotations

from uuid import UUID

from cloud.access.events import CardsChanged
from cloud.access.service import publish_cards, take_uses
from cloud.ingest.service import BatchRef, open_batch
from cloud.kit.jobs import NewJob
from cloud.kit.runner import JobContext
from cloud.metering.events import UseReported
from common.ids import GatewayId

TAKE_USES = "access.uses"
PUBLISH_CARDS = "access.cards"


def uses_job(event: UseReported) -> NewJob:
    """Return the job that takes the acts and charges of a batch, once."""
    return NewJob(
        kind=TAKE_USES,
        key=f"uses:{event.gateway_id}:{event.store_epoch}:{event.sequence}",
        payload={"gateway_id": str(event.gateway_id), "epoch": event.store_epoch, "sequence": event.sequence},
        partition=f"uses:{event.gateway_id}",
    )


def cards_job(event: CardsChanged) -> NewJob:
    """Return the job that tells a gateway its cards."""
    return NewJob(
        kind=PUBLISH_CARDS,
        key=f"cards:{event.change_id}",
        payload={"gateway_id": str(event.gateway_id)},
        partition=f"cards:{event.gateway_id}",
    )


async def take_batch_uses(context: JobContext) -> None:
    """Take the acts and charges of a batch and finish, in one commit."""
    told = context.job.payload
    ref = BatchRef(gateway_id=GatewayId(UUID(told["gateway_id"])), epoch=told["epoch"], sequence=told["sequence"])
    async with context.finishing_unit() as unit:
        await take_uses(unit, await open_batch(unit.session, ref))


async def tell_cards(context: JobContext) -> None:
    """Publish the cards of a gateway and finish, in one commit."""
    async with context.finishing_unit() as unit:
        await publish_cards(unit, GatewayId(UUID(context.job.payload["gateway_id"])))
