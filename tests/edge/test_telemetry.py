"""Metrics are looked up when asked for; logs are structured lines."""

from __future__ import annotations

import json

import pytest
import structlog
from prometheus_client import CollectorRegistry, generate_latest

from edge.telemetry import Probe, Probes, configure_logging, resident_bytes


def test_a_probe_is_read_anew_at_every_scrape() -> None:
    figures = {"opened": 1}
    registry = CollectorRegistry()
    probe = Probe(
        name="gate",
        about="What the gate did",
        labels=("what",),
        counts=True,
        read=lambda: [((name,), value) for name, value in figures.items()],
    )
    registry.register(Probes([probe]))
    assert b'gate_total{what="opened"} 1.0' in generate_latest(registry)
    figures["opened"] = 2
    assert b'gate_total{what="opened"} 2.0' in generate_latest(registry)


def test_a_log_line_is_json_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    try:
        structlog.get_logger().info("meter_swapped", serial="W1")
        line = json.loads(capsys.readouterr().err)
    finally:
        structlog.reset_defaults()
    assert (line["event"], line["serial"], line["level"]) == ("meter_swapped", "W1", "info")


def test_personal_data_is_masked_by_field_and_by_shape(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    try:
        try:
            int("沪A12345 has no stay")
        except ValueError:
            structlog.get_logger().exception("part_failed", part="gate", card="4711", stay={"plate": "沪A12345"})
        written = capsys.readouterr().err
    finally:
        structlog.reset_defaults()
    line = json.loads(written)
    assert (line["part"], line["card"], line["stay"]) == ("gate", "***", {"plate": "***"})
    assert "*** has no stay" in line["exception"]
    assert "沪A12345" not in written


def test_the_resident_memory_is_a_plausible_size() -> None:
    assert 2**20 < resident_bytes() < 2**33
