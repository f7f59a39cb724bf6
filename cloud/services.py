"""What a running cloud process is made of: built once in `app.py`, handed to the API and to the flow.

It holds outside dependencies only. Use cases are functions of their domains and need no place here.
"""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from cloud.identity.secrets import Passwords
from cloud.kit.db import Database
from cloud.kit.secrets import SecretBox
from common.clock import Clock
from common.ids import IdSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The parts that endpoints and tasks are given."""

    database: Database
    clock: Clock
    ids: IdSource
    registry: CollectorRegistry
    passwords: Passwords
    secret_box: SecretBox
    public_url: str
    secure_cookies: bool
    wechat_url: str
