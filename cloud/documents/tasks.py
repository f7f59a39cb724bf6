"""The jobs of papers: seal one, and look each morning whether a seal key ends soon."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import time

from cloud.documents.sealing import Sealing
from cloud.documents.service import SEAL, Press
from cloud.documents.signer import KeyKeeper
from cloud.kit.runner import Handler
from cloud.kit.schedules import Schedule
from cloud.kit.secretbox import SecretBox

WARN = "documents.warn"
SCHEDULE = Schedule(name="seal keys", kind=WARN, at=time(8, 45))


def handlers(press: Press, box: SecretBox, keeper: KeyKeeper | None = None) -> Mapping[str, Handler]:
    """Return who does which kind of job."""
    sealing = Sealing(press, box, secrets.token_bytes, keeper)
    return {SEAL: sealing.seal_paper, WARN: sealing.warn}
