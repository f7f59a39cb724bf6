"""Merchant accounts: whose they are, which fund they take, and the secrets that let us speak for them.

One account is of one legal entity and one fund class. Its private key and APIv3 key are sealed in the row and opened
only here, to build the client. Keys are checked when the account is added, not when money arrives.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.kit import directory
from cloud.kit.db import Unit
from cloud.kit.directory import DirectoryKind
from cloud.kit.errors import NotFoundError
from cloud.kit.secretbox import SecretBox
from cloud.payments import repository
from cloud.payments.channel import Channel
from cloud.payments.channels.credentials import Identity, check
from cloud.payments.channels.trust import load_public_key
from cloud.payments.tables import MerchantAccountRow
from cloud.tariffs.charge import FundClass
from common.errors import RefusalError
from common.ids import LegalEntityId, TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMerchantAccount:
    """A merchant account as the channel issued it; `channel_keys` are PEM by serial, the oldest first.

    `deduction_plan` is the template (`plan_id`) under which WeChat lets the merchant deduct, empty when it does not.
    """

    legal_entity_id: LegalEntityId
    fund_class: FundClass
    channel: Channel
    label: str
    merchant_number: str
    app_id: str
    merchant_serial: str
    private_key_pem: str = field(default="", repr=False)
    api_key: str = field(default="", repr=False)
    app_secret: str = field(default="", repr=False)
    deduction_plan: str = ""
    channel_keys: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantAccount:
    """A merchant account with its secrets sealed; `notify_token` is the last part of its notification address."""

    tenant_id: TenantId
    merchant_account_id: UUID
    legal_entity_id: LegalEntityId
    fund_class: FundClass
    channel: Channel
    label: str
    merchant_number: str
    app_id: str
    merchant_serial: str
    channel_keys: tuple[tuple[str, str], ...]
    secrets_sealed: bytes = field(repr=False)
    notify_token: str = field(repr=False)
    is_open: bool


async def add_merchant_account(unit: Unit, box: SecretBox, new: NewMerchantAccount, notify_token: str) -> UUID:
    """Add a merchant account after checking its keys, and let notifications find it.

    Raises:
        RefusalError: a key is not what the channel issues.
    """
    account_id = unit.new_id()
    secrets = {"private_key_pem": new.private_key_pem, "api_key": new.api_key, "app_secret": new.app_secret}
    secrets["deduction_plan"] = new.deduction_plan
    sealed = box.seal(unit.tenant, _purpose(account_id), json.dumps(secrets).encode())
    row = MerchantAccountRow(
        tenant_id=unit.tenant,
        merchant_account_id=account_id,
        legal_entity_id=new.legal_entity_id,
        fund_class=new.fund_class,
        channel=new.channel,
        label=new.label,
        merchant_number=new.merchant_number,
        app_id=new.app_id,
        merchant_serial=new.merchant_serial,
        channel_keys=[[serial, pem] for serial, pem in new.channel_keys.items()],
        secrets_sealed=sealed,
        notify_token=notify_token,
        opened_at=unit.now,
    )
    check(new.channel, identity(box, _account(row)))
    unit.session.add(row)
    await unit.session.flush()
    await directory.enter(unit, DirectoryKind.MERCHANT_ACCOUNT, notify_token, account_id)
    after = {"channel": new.channel, "merchant_number": new.merchant_number, "fund_class": new.fund_class}
    unit.record("added", "merchant_account", account_id, after=after)
    return account_id


async def add_channel_key(unit: Unit, merchant_account_id: UUID, serial: str, pem: str) -> None:
    """Add the channel's next public key; the ones before stay believed.

    Raises:
        NotFoundError: there is no such account.
        RefusalError: the text is no public key, or the serial is taken by another one.
    """
    load_public_key(pem.encode())
    row = await repository.merchant_account(unit.session, merchant_account_id)
    if row is None:
        raise NotFoundError("there is no such merchant account")
    known = dict(row.channel_keys)
    if known.setdefault(serial, pem) != pem:
        raise RefusalError("this serial stands for another key; look at the channel's announcement again")
    row.channel_keys = [[name, text] for name, text in known.items()]
    unit.record("added key", "merchant_account", merchant_account_id, after={"serial": serial})


async def merchant_account(session: AsyncSession, merchant_account_id: UUID) -> MerchantAccount:
    """Return a merchant account.

    Raises:
        NotFoundError: there is no such account.
    """
    row = await repository.merchant_account(session, merchant_account_id)
    if row is None:
        raise NotFoundError("there is no such merchant account")
    return _account(row)


async def merchant_accounts_at(session: AsyncSession, ids: Collection[UUID]) -> dict[UUID, MerchantAccount]:
    """Return some merchant accounts; an unknown one is absent."""
    return {row.merchant_account_id: _account(row) for row in await repository.merchant_accounts_at(session, ids)}


async def open_account(
    session: AsyncSession, legal_entity_id: LegalEntityId, fund_class: FundClass, channel: Channel
) -> MerchantAccount | None:
    """Return the account that takes money of a legal entity and fund over a channel."""
    row = await repository.open_merchant_account(session, legal_entity_id, fund_class, channel)
    return None if row is None else _account(row)


async def merchant_accounts(session: AsyncSession) -> Sequence[MerchantAccount]:
    """Return the company's merchant accounts."""
    return [_account(row) for row in await repository.merchant_accounts(session)]


def identity(box: SecretBox, account: MerchantAccount) -> Identity:
    """Return what proves that we are the merchant, opened."""
    secrets = json.loads(box.open(account.tenant_id, _purpose(account.merchant_account_id), account.secrets_sealed))
    return Identity(
        merchant_number=account.merchant_number,
        app_id=account.app_id,
        merchant_serial=account.merchant_serial,
        channel_keys=dict(account.channel_keys),
        private_key_pem=secrets["private_key_pem"],
        api_key=secrets["api_key"],
        app_secret=secrets.get("app_secret", ""),
        deduction_plan=secrets.get("deduction_plan", ""),
    )


def _account(row: MerchantAccountRow) -> MerchantAccount:
    return MerchantAccount(
        tenant_id=row.tenant_id,
        merchant_account_id=row.merchant_account_id,
        legal_entity_id=LegalEntityId(row.legal_entity_id),
        fund_class=row.fund_class,
        channel=row.channel,
        label=row.label,
        merchant_number=row.merchant_number,
        app_id=row.app_id,
        merchant_serial=row.merchant_serial,
        channel_keys=tuple((serial, pem) for serial, pem in row.channel_keys),
        secrets_sealed=row.secrets_sealed,
        notify_token=row.notify_token,
        is_open=row.closed_at is None,
    )


def _purpose(merchant_account_id: UUID) -> str:
    return f"merchant_account:{merchant_account_id}"
