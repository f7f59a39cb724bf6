"""The jobs of access: keyed so that the same batch or change is worked once."""

from __future__ import annotations

from uuid import UUID

from cloud.access.events import CardsChanged
from cloud.access.tasks import cards_job, uses_job
from cloud.metering.events import UseReported
from common.ids import GatewayId

GATEWAY = GatewayId(UUID(int=7))


def test_a_batch_and_a_change_have_one_job_each() -> None:
    told = UseReported(gateway_id=GATEWAY, store_epoch=5, sequence=9)
    assert uses_job(told).key == uses_job(told).key == f"uses:{GATEWAY}:5:9"
    changed = CardsChanged(gateway_id=GATEWAY, change_id=UUID(int=8))
    assert cards_job(changed).payload == {"gateway_id": str(GATEWAY)}
