"""Notifications from a channel: verify the raw bytes, store, answer; a job asks the channel what is true.

A notification is a hint. Nothing is booked from what it says, so a truthful-looking lie can only make us ask. Junk
that proves nothing costs one look-up and one verification: it writes nothing and calls nobody. The same event again,
ten at once or a day later, is stored once and answered well each time. What arrives while others are being stored is
stored after them in one commit, so that a crowd costs little more than one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from prometheus_client import CollectorRegistry, Counter

from cloud.cases import service as cases
from cloud.kit import directory
from cloud.kit.actor import SYSTEM_ID, Actor
from cloud.kit.db import Database, Unit
from cloud.kit.directory import DirectoryKind
from cloud.kit.errors import NotFoundError
from cloud.kit.gathered import Gathered
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
from common.ids import TenantId

BODY_SIZE_MAX = 64 * 1024
_ACTOR = Actor(kind="system", id=SYSTEM_ID, name="channel")
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """What became of a notification, and the body that tells the channel not to repeat it."""

    outcome: Received
    body: bytes


_Heard = tuple[MerchantAccount, Notice]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letter:
    """A notification, our order that it is about, and how it differs from that."""

    account: MerchantAccount
    notice: Notice
    attempt: Attempt | None
    found: tuple[Difference, ...]
    outcome: Received


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
        self._known: dict[str, MerchantAccount] = {}
        self._writers: dict[TenantId, Gathered[_Heard, Received]] = {}

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
        account = self._known.get(notify_token) or await self._look_up(notify_token)
        if account.channel is not channel:
            raise NotFoundError("there is no such notification address")
        try:
            notice = self._providers.of(account).open_notification(headers, body)
        except DistrustedError:
            before, account = account, await self._look_up(notify_token)
            if account == before:
                raise
            notice = self._providers.of(account).open_notification(headers, body)  # a key was added meanwhile
        stored = await self._writers.setdefault(account.tenant_id, Gathered(self._store)).add((account, notice))
        return stored, self._providers.of(account).acknowledgement

    async def _look_up(self, notify_token: str) -> MerchantAccount:
        """Return the account of an address and keep it in mind; keys are only ever added to one."""
        async with self._database.directory() as connection:
            entry = await directory.find(connection, DirectoryKind.MERCHANT_ACCOUNT, notify_token)
        if entry is None:
            raise NotFoundError("there is no such notification address")
        async with self._database.view(entry.tenant) as session:
            account = await merchants.merchant_account(session, entry.object_id)
        self._known[notify_token] = account
        return account

    async def _store(self, heard: Sequence[_Heard]) -> Sequence[Received]:
        """Store what arrived in the same moment for one company, in one commit."""
        async with self._database.unit(heard[0][0].tenant_id, _ACTOR) as unit:
            numbers = {notice.order_number for _, notice in heard if notice.order_number}
            attempts = await service.attempts_numbered(unit.session, numbers)
            letters = [_letter(account, notice, attempts.get(notice.order_number)) for account, notice in heard]
            ids = [unit.new_id() for _ in letters]
            rows = [self._row(unit, *pair) for pair in zip(ids, letters, strict=True)]
            stored = await repository.store_notifications(unit.session, rows)
            for notification_id, letter in zip(ids, letters, strict=True):
                if notification_id in stored:
                    await _act(unit, notification_id, letter)
                else:
                    unit.record("repeated", "notification", letter.account.merchant_account_id)
        return [
            letter.outcome if notification_id in stored else Received.REPEATED
            for notification_id, letter in zip(ids, letters, strict=True)
        ]

    def _row(self, unit: Unit, notification_id: UUID, letter: _Letter) -> dict[str, Any]:
        notice = letter.notice
        return {
            "tenant_id": unit.tenant,
            "notification_id": notification_id,
            "merchant_account_id": letter.account.merchant_account_id,
            "event_id": notice.event_id,
            "event_type": notice.event_type,
            "order_number": notice.order_number if is_number(notice.order_number) else "",
            "body_sealed": self._box.seal(unit.tenant, f"notification:{notification_id}", notice.plain),
            "received_at": unit.now,
            "outcome": letter.outcome,
        }


def _letter(account: MerchantAccount, notice: Notice, attempt: Attempt | None) -> _Letter:
    """Return a notification with what it is about, compared with it; one of a refund is not compared here."""
    other_alone = not notice.order_number and is_number(notice.refund_number or notice.agreement_number)
    if attempt is not None and attempt.merchant_account_id != account.merchant_account_id:
        attempt = None
    found: tuple[Difference, ...] = ()
    if attempt is not None and notice.view is not None and is_paid(notice.view):
        found = differences(service.expected(account, attempt), notice.view)
    ours = other_alone or attempt is not None
    outcome = (Received.DIFFERS if found else Received.STORED) if ours else Received.NOT_OURS
    return _Letter(account=account, notice=notice, attempt=attempt, found=found, outcome=outcome)


async def _act(unit: Unit, notification_id: UUID, letter: _Letter) -> None:
    """Do what a notification that was not heard before calls for."""
    account_id, notice, attempt = letter.account.merchant_account_id, letter.notice, letter.attempt
    unit.record("stored", "notification", notification_id, after={"outcome": letter.outcome})
    if letter.outcome is Received.NOT_OURS:
        await cases.raise_case(unit, reports.order_not_ours(account_id, notification_id))
        return
    if letter.found and attempt is not None:
        await cases.raise_case(unit, reports.answer_differs(attempt, letter.found))
    if is_number(notice.refund_number):
        unit.publish(
            RefundNoticed(
                notification_id=notification_id, merchant_account_id=account_id, refund_number=notice.refund_number
            )
        )
    elif notice.agreement_number:
        unit.publish(
            AgreementNoticed(
                notification_id=notification_id,
                merchant_account_id=account_id,
                agreement_number=notice.agreement_number,
            )
        )
    elif attempt is not None:
        unit.enqueue(service.ask_job(attempt.attempt_id, f"event:{notification_id}"))
