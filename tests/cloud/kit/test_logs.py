"""Logs hold no personal data, neither our events nor what libraries say."""

from __future__ import annotations

import json
import logging

import pytest
import structlog

from cloud.kit.logs import MaskedFormatter, configure_logging


def test_an_event_leaves_the_process_masked(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("serve")
    try:
        structlog.get_logger().info("gate_opened", plate="沪A12345", reason="asked by 13812341234", lot="north")
        line = json.loads(capsys.readouterr().err)
    finally:
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()
    assert (line["plate"], line["reason"], line["lot"]) == ("***", "asked by ***", "north")


def test_what_a_library_says_is_masked_with_its_traceback() -> None:
    with pytest.raises(ValueError, match="invalid literal") as raised:
        int("13812341234 has no account")
    told = (raised.type, raised.value, raised.tb)
    record = logging.LogRecord("pool", logging.ERROR, __file__, 1, "gave up on %s", ("沪A12345",), told)
    text = MaskedFormatter("%(levelname)s %(name)s %(message)s").format(record)
    assert text.startswith("ERROR pool gave up on ***\nTraceback")
    assert "*** has no account" in text
    assert "138" not in text
