"""The jobs of payments: ask the channel about an attempt, until it is decided."""

from __future__ import annotations

from uuid import UUID

from cloud.kit.runner import JobContext
from cloud.payments import merchants, service
from cloud.payments.cashier import ask
from cloud.payments.providers import Providers
from cloud.payments.rules import AttemptState


class PaymentTasks:
    """The handlers of payment jobs, with the clients they call."""

    def __init__(self, providers: Providers) -> None:
        self._providers = providers

    async def ask(self, context: JobContext) -> None:
        """Ask about one attempt and note the answer with the completion of the job; see `service.note_asked`."""
        attempt_id = UUID(str(context.job.payload["attempt_id"]))
        async with context.view() as session:
            attempt = await service.attempt(session, attempt_id)
            account = await merchants.merchant_account(session, attempt.merchant_account_id)
        if attempt.state is AttemptState.PAID:
            return
        expired = context.database.clock.now() >= attempt.expires_at
        answer = await ask(self._providers.of(account), attempt, expired=expired)
        async with context.finishing_unit() as unit:
            await service.note_asked(unit, attempt_id, answer)
