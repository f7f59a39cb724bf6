"""The jobs of papers."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from cloud.documents.sealing import Sealing
from cloud.documents.service import SEAL, Press
from cloud.kit.runner import Handler
from cloud.kit.secretbox import SecretBox


def handlers(press: Press, box: SecretBox) -> Mapping[str, Handler]:
    """Return who does which kind of job."""
    return {SEAL: Sealing(press, box, secrets.token_bytes).seal_paper}
