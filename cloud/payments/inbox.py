"""Notifications from a channel: verify the raw bytes, store, answer; a job asks the channel what is true.

A notification is a hint. Nothing is booked from what it says, so a truthful-looking lie can only make us ask. Junk
that proves nothing costs one look-up and one verification: it writes nothing and calls nobody. The same event again,
ten at once or a day later, is stored once and answered well each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from prometheus_client import CollectorRegistry, Counter

from cloud.cases import service as cases
from cloud.kit import directory
from cloud.kit.actor import SYSTEM_ID, Actor
from cloud.kit.db import Database, Unit
from cloud.kit.directory import DirectoryKind
from cloud.kit.errors import NotFoundError
from cloud.kit.secretbox import SecretBox
from cloud.payments import merchants, reports, repository, service
from cloud.payments.channel import Channel
from cloud.payments.channels.provider import Notice
from cloud.payments.channels.trust import DistrustedError
from cloud.payments.events import AgreementNoticed, RefundNoticed
from cloud.payments.merchants import MerchantAccount
from cloud.payments.order_number import is_number
from cloud.payments.providers import Providers
from cloud.payments.rules import Difference, differences, is_paid
from cloud.payments.tables import Received
from cloud.payments.values import Attempt
from common.errors import RefusalError

BODY_SIZE_MAX = 64 * 1024
_ACTOR = Actor(kind="system", id=SYSTEM_ID, name="channel")
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """What became of a notification, and the body that tells the channel not to repeat it."""

    outcome: Received
    body: bytes


class InboxMetrics:
    """What the inbox counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.notifications = Counter(
            "gatehouse_payment_notifications", "Notifications by outcome", ["outcome"], registry=registry
        )


class Inbox:
    """Receives notifications of all merchant accounts."""

    def __init__(self, database: Database, providers: Providers, box: SecretBox, metrics: InboxMetrics) -> None:
        self._database = database
        self._providers = providers
        self._box = box
        self._metrics = metrics

    async def receive(
        self, channel: Channel, notify_token: str, headers: Mapping[str, str], body: bytes
    ) -> Acknowledged:
        """Store a notification that proves itself and have its order asked about; answer as the channel expects.

        Raises:
            NotFoundError: the address belongs to no merchant account.
            DistrustedError: the message does not prove that it is the channel's.
            RefusalError: it is the channel's, and tells another amount or merchant than the order has.
        """
        try:
            outcome, acknowledgement = await self._receive(channel, notify_token, headers, body)
        except DistrustedError as error:
            self._metrics.notifications.labels(error.reason).inc()
            _log.warning("notification_refused", reason=error.reason)
            raise
        except RefusalError:
            self._metrics.notifications.labels("unknown_address").inc()
            raise
        self._metrics.notifications.labels(outcome).inc()
        if outcome is Received.DIFFERS:
            _log.warning("notification_differs")
            raise RefusalError("the notification differs from the order; nothing was booked, the channel is asked")
        return Acknowledged(outcome=outcome, body=acknowledgement)

    async def _receive(
        self, channel: Channel, notify_token: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[Received, bytes]:
        async with self._database.directory() as connection:
            entry = await directory.find(connection, DirectoryKind.MERCHANT_ACCOUNT, notify_token)
        if entry is None:
            raise NotFoundError("there is no such notification address")
        async with self._database.view(entry.tenant) as session:
            account = await merchants.merchant_account(session, entry.object_id)
        if account.channel is not channel:
            raise NotFoundError("there is no such notification address")
        provider = self._providers.of(account)
        notice = provider.open_notification(headers, body)
        async with self._database.unit(entry.tenant, _ACTOR) as unit:
            return await self._store(unit, account, notice), provider.acknowledgement

    async def _store(self, unit: Unit, account: MerchantAccount, notice: Notice) -> Received:
        number = notice.order_number
        attempt = (await service.attempts_numbered(unit.session, [number])).get(number)
        other_alone = not number and is_number(notice.refund_number or notice.agreement_number)
        ours = other_alone or (attempt is not None and attempt.merchant_account_id == account.merchant_account_id)
        found = await _differences(unit, attempt, notice) if attempt is not None and ours else ()
        outcome = (Received.DIFFERS if found else Received.STORED) if ours else Received.NOT_OURS
        notification_id = unit.new_id()
        values = {
            "tenant_id": unit.tenant,
            "notification_id": notification_id,
            "merchant_account_id": account.merchant_account_id,
            "event_id": notice.event_id,
            "event_type": notice.event_type,
            "order_number": number if is_number(number) else "",
            "body_sealed": self._box.seal(unit.tenant, f"notification:{notification_id}", notice.plain),
            "received_at": unit.now,
            "outcome": outcome,
        }
        if not await repository.store_notification(unit.session, values):
            unit.record("repeated", "notification", account.merchant_account_id)
            return Received.REPEATED
        unit.record("stored", "notification", notification_id, after={"outcome": outcome})
        if not ours:
            await cases.raise_case(unit, reports.order_not_ours(account.merchant_account_id, notification_id))
            return outcome
        if found and attempt is not None:
            await cases.raise_case(unit, reports.answer_differs(attempt, found))
        if is_number(notice.refund_number):
            unit.publish(
                RefundNoticed(
                    notification_id=notification_id,
                    merchant_account_id=account.merchant_account_id,
                    refund_number=notice.refund_number,
                )
            )
        elif notice.agreement_number:
            unit.publish(
                AgreementNoticed(
                    notification_id=notification_id,
                    merchant_account_id=account.merchant_account_id,
                    agreement_number=notice.agreement_number,
                )
            )
        elif attempt is not None:
            unit.enqueue(service.ask_job(attempt.attempt_id, f"event:{notification_id}"))
        return outcome


async def _differences(unit: Unit, attempt: Attempt, notice: Notice) -> tuple[Difference, ...]:
    """Return how a notification of a payment differs from its order; one of a refund is not compared here."""
    if notice.view is None or not is_paid(notice.view):
        return ()
    return differences(await service.expected(unit.session, attempt), notice.view)
