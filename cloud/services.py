"""What a running cloud process is made of: built once, from `app.py`, and handed to the API and to the flow.

It holds what has outside dependencies: connections, keys, clients, counters. Use cases are functions of their domains
and need no place here.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from prometheus_client import CollectorRegistry

from cloud.documents.printer import Printer
from cloud.documents.seal_service import SealService, ServiceAddress
from cloud.documents.seal_token import SealToken
from cloud.documents.service import Press
from cloud.documents.signer import KeyKeeper
from cloud.fleet.counters import GatewayMetrics
from cloud.fleet.downlink import Downlink
from cloud.fleet.keyfile import signing_key
from cloud.identity.credentials import Passwords
from cloud.ingest.service import Ingest
from cloud.invoices.issuers import Issuers
from cloud.invoices.providers.nuonuo import NuonuoUrls
from cloud.kit.clock import SystemClock, machine_now_s
from cloud.kit.db import Database
from cloud.kit.secretbox import SecretBox
from cloud.mandates.clerk import MandateClerk
from cloud.notices.carriers import Carriers, MessageUrls
from cloud.notices.courier import Courier
from cloud.payments.cashier import Cashier
from cloud.payments.inbox import Inbox, InboxMetrics
from cloud.payments.kiosk_codes import KioskDesk
from cloud.payments.providers import ChannelUrls, Providers

_NONCE_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What a process is told and given from outside, once the composition root has opened it."""

    database: Database
    registry: CollectorRegistry
    http: httpx.AsyncClient
    secret_box: SecretBox
    passwords: Passwords
    signing_key_file: Path
    public_url: str
    secure_cookies: bool
    channel_urls: ChannelUrls
    printer: Printer = field(default_factory=Printer)
    seal_token: SealToken | None = None
    seal_service: ServiceAddress | None = None
    message_urls: MessageUrls = field(default_factory=MessageUrls)
    invoice_urls: NuonuoUrls = field(default_factory=NuonuoUrls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The parts that endpoints and tasks are given."""

    database: Database
    registry: CollectorRegistry
    secret_box: SecretBox
    passwords: Passwords
    ingest: Ingest
    downlink: Downlink
    gateway_metrics: GatewayMetrics
    providers: Providers
    cashier: Cashier
    kiosk_desk: KioskDesk
    mandates: MandateClerk
    inbox: Inbox
    printer: Printer
    seal_keeper: KeyKeeper | None
    message_urls: MessageUrls
    courier: Courier
    issuers: Issuers
    public_url: str
    secure_cookies: bool

    @property
    def press(self) -> Press:
        """Return what prints papers, over the database of these services."""
        return Press(
            database=self.database,
            printer=self.printer,
            public_url=self.public_url,
            random_bytes=secrets.token_bytes,
        )


def build_services(outside: Outside) -> Services:
    """Build every part from what comes from outside."""
    database, box = outside.database, outside.secret_box
    key = signing_key(outside.signing_key_file)
    providers = Providers(outside.http, outside.channel_urls, box, machine_now_s, _nonce)
    downlink = Downlink(database=database, key=key, machine_clock=SystemClock())
    cashier = Cashier(database, providers, outside.public_url, secrets.token_bytes)
    return Services(
        database=database,
        registry=outside.registry,
        secret_box=box,
        passwords=outside.passwords,
        ingest=Ingest(database, key),
        downlink=downlink,
        gateway_metrics=GatewayMetrics(outside.registry),
        providers=providers,
        cashier=cashier,
        kiosk_desk=KioskDesk(database, downlink, cashier),
        mandates=MandateClerk(database, providers, outside.public_url, secrets.token_bytes),
        inbox=Inbox(database, providers, box, InboxMetrics(outside.registry)),
        printer=outside.printer,
        seal_keeper=_keeper(outside),
        message_urls=outside.message_urls,
        courier=Courier(database, box, Carriers(outside.http, outside.message_urls, box, machine_now_s, _nonce)),
        issuers=Issuers(outside.http, outside.invoice_urls, box, machine_now_s, _nonce),
        public_url=outside.public_url,
        secure_cookies=outside.secure_cookies,
    )


def _keeper(outside: Outside) -> KeyKeeper | None:
    """Return who keeps seal keys outside this house: a token, a service, or nobody."""
    if outside.seal_service is None:
        return outside.seal_token
    return SealService(outside.http, outside.seal_service, machine_now_s, _nonce)


def _nonce() -> str:
    return secrets.token_hex(_NONCE_BYTES).upper()
