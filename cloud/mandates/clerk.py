"""Speaking to the channel about mandates: commit the wish, call, commit what it said. Never a call inside a unit.

What an agreement says is asked for, at signing, each day, and once more just before money is taken: a payer may end
it at the channel at any time. Money is asked for once a try; what is not known of an earlier try is asked first.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

from cloud.estate import service as estate
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.mandates import debits, service
from cloud.mandates.rules import (
    SIGN_DAYS_MAX,
    DebitState,
    MandateState,
    first_execution,
    is_open_hour,
    today_at_channel,
)
from cloud.mandates.values import Mandate
from cloud.payments import answers, cashier, merchants
from cloud.payments.channel import Method
from cloud.payments.channels.deductions import Agreement, AgreementState, AgreementWish
from cloud.payments.channels.provider import Order, OrderView, Payer, Refused, Unknown
from cloud.payments.merchants import MerchantAccount
from cloud.payments.providers import Providers
from cloud.payments.values import Attempt
from common.errors import RefusalError
from common.ids import TenantId

RETURN_PATH = "/my/auto-pay"


class MandateClerk:
    """Signs, asks about and ends agreements, and takes money by them."""

    def __init__(
        self, database: Database, providers: Providers, public_url: str, random_bytes: Callable[[int], bytes]
    ) -> None:
        self._database = database
        self._providers = providers
        self._public_url = public_url.rstrip("/")
        self._random_bytes = random_bytes

    async def sign_page(self, tenant: TenantId, mandate: Mandate) -> str:
        """Return the channel's address where the payer signs.

        Raises:
            RefusalError: the channel gave none; nothing was changed.
        """
        async with self._database.view(tenant) as session:
            account = await merchants.merchant_account(session, mandate.merchant_account_id)
            community = await estate.community(session, mandate.book.community_id)
        wish = AgreementWish(
            number=mandate.number,
            limit_fen=mandate.limit_fen,
            first_on=first_execution(mandate.day_of_month, today_at_channel(self._database.clock.now())),
            description=community.name,
            return_url=f"{self._public_url}{RETURN_PATH}",
            notify_url=cashier.notify_url(self._public_url, account),
        )
        page = await self._providers.agreements(account).sign_page(wish)
        if not isinstance(page, str):
            raise RefusalError("the channel gave no page to sign on; try again a little later")
        return page

    def keeps_agreements(self, account: MerchantAccount) -> bool:
        """Return whether payers can agree to deductions at a merchant account."""
        return account.is_open and self._providers.keeps_agreements(account)

    async def check(self, tenant: TenantId, actor: Actor, mandate_id: UUID) -> Mandate:
        """Ask the channel where an agreement stands and note it; what is not known changes nothing."""
        mandate, account = await self._found(tenant, mandate_id)
        told = await self._providers.agreements(account).query(mandate.number)
        if not isinstance(told, Agreement):
            return mandate
        return await self._noted(tenant, actor, mandate, told)

    async def look(self, tenant: TenantId, actor: Actor, mandate_id: UUID) -> None:
        """Ask where an agreement stands, give up one that nobody signed, and announce what its next cycle will take."""
        mandate = await self.check(tenant, actor, mandate_id)
        async with self._database.unit(tenant, actor) as unit:
            if mandate.state is MandateState.ASKED and unit.now - mandate.asked_at > timedelta(days=SIGN_DAYS_MAX):
                await service.note_ended(unit, mandate_id, "unsigned")
            debit = await debits.announce(unit, mandate_id)
            for job in () if debit is None else debits.take_jobs(debit):
                unit.enqueue(job)
            unit.record("looked at", "mandate", mandate_id)
        await self._announce(tenant, mandate_id)

    async def _announce(self, tenant: TenantId, mandate_id: UUID) -> None:
        """Tell the channel what is announced, each morning until the first try; what it has heard it is not told again.

        One that did not hear refuses the tries: then nothing is taken, and the payer is told that it failed.
        """
        mandate, account = await self._found(tenant, mandate_id)
        today = today_at_channel(self._database.clock.now())
        async with self._database.view(tenant) as session:
            standing = await debits.debits_of(session, [mandate_id])
        for debit in standing:
            if debit.state is DebitState.ANNOUNCED and today < debit.plan.first_on:
                await self._providers.agreements(account).announce(mandate.number, debit.amount_fen)

    async def end(self, tenant: TenantId, actor: Actor, mandate_id: UUID) -> Mandate:
        """End an agreement at the channel and here.

        Raises:
            RefusalError: the channel could not be asked; nothing was changed here.
        """
        mandate, account = await self._found(tenant, mandate_id)
        ended = await self._providers.agreements(account).end(mandate.number)
        if ended is not None:
            raise RefusalError("the channel did not end the agreement; pause it now and end it a little later")
        async with self._database.unit(tenant, actor) as unit:
            return await service.note_ended(unit, mandate_id, actor.kind)

    async def take(self, tenant: TenantId, actor: Actor, debit_id: UUID, day: date) -> None:
        """Make the try of a day: only on that day, in the open hours, under an agreement that holds now.

        Earlier tries are asked about first; while one of them may be paid, nothing is sent.
        """
        now = self._database.clock.now()
        async with self._database.view(tenant) as session:
            debit = await debits.debit(session, debit_id)
            earlier = await debits.tries(session, debit_id)
        if debit.state is not DebitState.ANNOUNCED:
            return
        if not await self._settled(tenant, actor, earlier):
            return
        if day in debit.plan.tries and today_at_channel(now) == day and is_open_hour(now):
            await self._try(tenant, actor, debit_id, day)
        async with self._database.unit(tenant, actor) as unit:
            state = await debits.decide(unit, debit_id)
            unit.record("looked at", "debit", debit_id, after={"state": state})

    async def _try(self, tenant: TenantId, actor: Actor, debit_id: UUID, day: date) -> None:
        async with self._database.view(tenant) as session:
            mandate_id = (await debits.debit(session, debit_id)).mandate_id
        mandate, account = await self._found(tenant, mandate_id)
        told = await self._providers.agreements(account).query(mandate.number)
        if not isinstance(told, Agreement):
            return
        mandate = await self._noted(tenant, actor, mandate, told)
        if mandate.state is not MandateState.ACTIVE:
            return
        async with self._database.unit(tenant, actor) as unit:
            attempt = await debits.open_try(unit, debit_id, day, self._random_bytes)
            unit.record("looked at", "debit", debit_id)
            description = (await estate.community(unit.session, mandate.book.community_id)).name
        if attempt is None:
            return
        order = Order(
            number=attempt.order_number,
            amount_fen=attempt.amount_fen,
            description=description,
            notify_url=cashier.notify_url(self._public_url, account),
            made_at=attempt.created_at,
            expires_at=attempt.expires_at,
            method=Method.DEDUCTION,
            payer=Payer(agreement=told.number),
        )
        outcome = await self._providers.of(account).place(order)
        async with self._database.unit(tenant, actor) as unit:
            await answers.note_placed(unit, attempt.attempt_id, outcome)

    async def _settled(self, tenant: TenantId, actor: Actor, earlier: tuple[Attempt, ...]) -> bool:
        """Ask the channel once more about each earlier try, and return whether none of them can be paid any more."""
        for attempt in earlier:
            async with self._database.view(tenant) as session:
                account = await merchants.merchant_account(session, attempt.merchant_account_id)
            answer = await cashier.ask(self._providers.of(account), attempt, expired=True)
            async with self._database.unit(tenant, actor) as unit:
                noted = await answers.note_asked(unit, attempt.attempt_id, answer)
            if debits.may_pay(noted) or not _is_known(answer):
                return False
        return True

    async def _found(self, tenant: TenantId, mandate_id: UUID) -> tuple[Mandate, MerchantAccount]:
        async with self._database.view(tenant) as session:
            mandate = await service.mandate(session, mandate_id)
            return mandate, await merchants.merchant_account(session, mandate.merchant_account_id)

    async def _noted(self, tenant: TenantId, actor: Actor, mandate: Mandate, told: Agreement) -> Mandate:
        if told.state is AgreementState.SIGNED and mandate.state is MandateState.ASKED:
            async with self._database.unit(tenant, actor) as unit:
                return await service.note_signed(unit, mandate.mandate_id)
        signed_before = mandate.state in {MandateState.ACTIVE, MandateState.PAUSED}
        if told.state is AgreementState.ENDED or (signed_before and told.state is not AgreementState.SIGNED):
            async with self._database.unit(tenant, actor) as unit:
                return await service.note_ended(unit, mandate.mandate_id, "channel")
        return mandate


def _is_known(answer: OrderView | Refused | Unknown) -> bool:
    """Return whether a channel said where an order stands, or that it never had it."""
    if isinstance(answer, Refused):
        return answer.code in answers.NO_SUCH_ORDER
    return isinstance(answer, OrderView)
