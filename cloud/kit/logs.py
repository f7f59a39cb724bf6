"""Logs of a cloud process. They never carry personal data or a secret.

Logs are one JSON object a line on standard error. What is personal by its field's name or by its shape is masked on
the way out (`common.masking`), in the events of libraries too: a last net, since events are not given such data.
"""

from __future__ import annotations

import logging
import sys

import structlog
from typing_extensions import override

from common.masking import mask_event, mask_text


class MaskedFormatter(logging.Formatter):
    """Formats what libraries log, traceback included, with everything masked that has the shape of personal data."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        return mask_text(super().format(record))


def configure_logging(process: str) -> None:
    """Send every log of the process, the libraries' too, to standard error as JSON lines."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            mask_event,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(MaskedFormatter("%(levelname)s %(name)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
