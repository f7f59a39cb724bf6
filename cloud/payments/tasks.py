"""The jobs of payments: ask the channel about an attempt, until it is decided."""

from __future__ import annotations

import asyncio
from uuid import UUID

from cloud.kit.runner import JobBatch, JobContext, Together
from cloud.payments import answers, merchants, service
from cloud.payments.cashier import ask
from cloud.payments.providers import Providers
from cloud.payments.rules import AttemptState

_GATHER_MS = 10  # a payer waits for his receipt; those who pay in the same moment share its cost


class PaymentTasks:
    """The handlers of payment jobs, with the clients they call."""

    def __init__(self, providers: Providers) -> None:
        self._providers = providers

    async def ask(self, context: JobContext) -> None:
        """Ask about one attempt and note the answer with the completion of the job; see `answers.note_asked`."""
        attempt_id = UUID(str(context.job.payload["attempt_id"]))
        async with context.view() as session:
            attempt = await service.attempt(session, attempt_id)
            account = await merchants.merchant_account(session, attempt.merchant_account_id)
        if attempt.state is AttemptState.PAID:
            return
        expired = context.database.clock.now() >= attempt.expires_at
        answer = await ask(self._providers.of(account), attempt, expired=expired)
        async with context.finishing_unit() as unit:
            await answers.note_asked(unit, attempt_id, answer)

    async def ask_together(self, batch: JobBatch) -> None:
        """Ask about some attempts at the same time and note all answers with the completion of their jobs."""
        attempt_ids = {UUID(str(job.payload["attempt_id"])) for job in batch.jobs}
        async with batch.view() as session:
            questions = await service.questions(session, attempt_ids)
        now = batch.database.clock.now()
        async with asyncio.TaskGroup() as group:
            asked = {
                attempt_id: group.create_task(
                    ask(self._providers.of(account), attempt, expired=now >= attempt.expires_at)
                )
                for attempt_id, (attempt, account) in questions.items()
                if attempt.state is not AttemptState.PAID
            }
        async with batch.finishing_unit() as unit:
            if asked:
                await answers.note_all_asked(unit, {attempt_id: task.result() for attempt_id, task in asked.items()})

    def together(self) -> Together:
        """Return how attempts are asked about many at once."""
        return Together(handle=self.ask_together, gather_ms=_GATHER_MS)
