"""HTTP clients: the certificates that they trust are read once for the process, and only for an address of TLS.

A client of its own for each command is cheap then. Reading the whole list anew took 20 ms of the loop and 2.5 MiB each
time, also for the address of a camera on the local network that knows no TLS at all.
"""

from __future__ import annotations

import ssl
from functools import cache

import httpx

_TLS = "https:"


def web_client(address: str, auth: httpx.Auth | None = None) -> httpx.AsyncClient:
    """Return a client for an address. Without TLS it trusts no certificate, so a turn to another address fails."""
    return httpx.AsyncClient(auth=auth, verify=_world() if address.startswith(_TLS) else _nobody())


@cache
def _world() -> ssl.SSLContext:
    """Return the certificates of the world as httpx trusts them."""
    return httpx.create_ssl_context()


@cache
def _nobody() -> ssl.SSLContext:
    """Return a context that checks certificates and knows none."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
