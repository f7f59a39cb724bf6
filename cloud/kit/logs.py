"""Logs of a cloud process. They never carry personal data or a secret.

Logs are one JSON object a line on standard error. A field whose name is that of personal data is masked whatever it
holds: a last net, since events are not given such fields in the first place.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

PERSONAL_FIELDS = frozenset(
    {"name", "phone", "plate", "id_number", "card", "openid", "address", "email", "password", "token", "code", "secret"}
)
_MASKED = "***"


def configure_logging(process: str) -> None:
    """Send every log of the process, the libraries' too, to standard error as JSON lines."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            mask_personal,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")


def mask_personal(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask the fields that personal data would stand in: a structlog processor."""
    del logger, method
    for field in PERSONAL_FIELDS & event.keys():
        event[field] = _MASKED
    return event
