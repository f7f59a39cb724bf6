"""Logs and metrics of the gateway: JSON lines on standard error, and probes read when somebody asks.

A log line is a past-tense event with fields and holds no personal data: no plate, no card, no name, no code. What
slips in all the same is masked on the way out, as on the cloud (`common.masking`).
"""

from __future__ import annotations

import ctypes
import gc
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from common.masking import mask_event

SWITCH_S = 0.0001
COLLECT_AFTER = 10_000  # new containers before a look for rings; most of ours are freed by their counts alone
Samples = Iterable[tuple[tuple[str, ...], int]]


def configure_logging() -> None:
    """Send structured lines to standard error, where the journal picks them up."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            mask_event,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A metric whose value is looked up when it is asked for; whole numbers only."""

    name: str
    about: str
    read: Callable[[], Samples]
    labels: tuple[str, ...] = ()
    counts: bool = False


class Probes(Collector):
    """All probes of the gateway, for a prometheus registry."""

    def __init__(self, probes: Sequence[Probe]) -> None:
        self._probes = tuple(probes)

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield every metric with its values of this moment."""
        for probe in self._probes:
            family: CounterMetricFamily | GaugeMetricFamily = (
                CounterMetricFamily(probe.name, probe.about, labels=probe.labels)
                if probe.counts
                else GaugeMetricFamily(probe.name, probe.about, labels=probe.labels)
            )
            for labels, value in probe.read():
                family.add_metric(labels, value)
            yield family


def resident_bytes() -> int:
    """Return the resident memory of this process, 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - a kernel file, not a path of ours
            pages = int(file.read().split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return pages * 4096


def settle_interpreter() -> None:
    """Give back what start-up no longer needs, spare the collector what stays, and let the writer's thread in soon.

    The writer takes the interpreter's lock after each step of a commit; with the usual patience of 5 ms a busy loop
    would hold up a gate decision by tens of milliseconds.
    """
    sys.setswitchinterval(SWITCH_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 10, 10)
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
