"""The composition root: settings and secrets in, running parts out. Nothing else of the cloud builds them."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from cloud import flow
from cloud.documents.printer import Printer
from cloud.documents.seal_service import ServiceAddress
from cloud.documents.seal_token import SealToken, TokenAddress
from cloud.house import House
from cloud.identity.credentials import Passwords
from cloud.invoices.providers.nuonuo import NuonuoUrls
from cloud.kit.clock import business_clock
from cloud.kit.db import Database
from cloud.kit.events import router
from cloud.kit.ids import system_ids
from cloud.kit.secretbox import SecretBox, decode_key
from cloud.notices.carriers import MessageUrls
from cloud.payments.providers import ChannelUrls
from cloud.services import Outside, Services, build_services
from cloud.settings import Settings, seal_pin, seal_secret, secret_key_text
from common.errors import RefusalError

SIGNING_KEY_FILE = "signing.key"
_CHANNEL_S_MAX = 10.0


@asynccontextmanager
async def running_services(house: House, conninfo: str) -> AsyncIterator[Services]:
    """Build the parts of a process that connects with one role; they close with the block."""
    settings = house.settings
    registry = CollectorRegistry()
    for collect in (ProcessCollector, PlatformCollector, GCCollector):
        collect(registry=registry)
    box = SecretBox(decode_key(*secret_key_text(settings.home)))
    clock = business_clock(settings.clock_file)
    database = Database(conninfo, clock=clock, ids=system_ids(clock), route=router(flow.ROUTES))
    printer, token = Printer(), _seal_token(settings)
    async with httpx.AsyncClient(timeout=_CHANNEL_S_MAX, trust_env=False) as http:
        try:
            yield build_services(
                Outside(
                    database=database,
                    registry=registry,
                    http=http,
                    secret_box=box,
                    passwords=Passwords(),
                    printer=printer,
                    seal_token=token,
                    seal_service=_seal_service(settings),
                    signing_key_file=settings.home / SIGNING_KEY_FILE,
                    public_url=settings.public_url,
                    secure_cookies=settings.secure_cookies,
                    channel_urls=ChannelUrls(
                        wechat=settings.wechat_url, alipay=settings.alipay_url, unionpay=settings.unionpay_url
                    ),
                    message_urls=MessageUrls(sms=settings.sms_url, wechat=settings.wechat_api_url),
                    invoice_urls=NuonuoUrls(services=settings.invoice_url, token=settings.invoice_token_url),
                )
            )
        finally:
            printer.close()
            if token is not None:
                token.close()
            await database.close()


def _seal_token(settings: Settings) -> SealToken | None:
    """Return the token with the seal keys when one is set up; it is opened at the first seal."""
    if not settings.seal_module:
        return None
    address = TokenAddress(module=settings.seal_module, label=settings.seal_token, pin=seal_pin(settings.home))
    return SealToken(address)


def _seal_service(settings: Settings) -> ServiceAddress | None:
    """Return where the seal service is when one is set up."""
    if not settings.seal_service_url:
        return None
    return ServiceAddress(
        url=settings.seal_service_url, client=settings.seal_service_client, secret=seal_secret(settings.home)
    )


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        RefusalError: the port is taken, or is not ours to take.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except OSError as error:
        found.close()
        raise RefusalError(
            f"cannot listen on {host}:{port} ({error.strerror}); set another port in settings.yaml"
        ) from error
    found.listen(128)
    return found
