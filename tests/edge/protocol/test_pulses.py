"""Pulses: the kernel's events read, bounces counted once, lost edges told and never guessed."""

from __future__ import annotations

import pytest

from common.errors import RefusalError
from edge.protocol.pulses import Edge, PulseCounter, parse_edges
from tests.simulation.devices.pulse_chip import CLOSED, OPENED, event, pulses


def counted(data: bytes, debounce_ms: int = 30) -> PulseCounter:
    counter = PulseCounter(debounce_ms)
    for edge in parse_edges(data):
        counter.feed(edge)
    return counter


def test_an_event_of_the_kernel_is_read() -> None:
    assert list(parse_edges(event(1_500, CLOSED, 17, 3))) == [
        Edge(at_ns=1_500_000_000, line=17, closing=True, number=3)
    ]


@pytest.mark.parametrize("data", [event(1, CLOSED, 0, 1)[:-1], b"\x00", event(1, 3, 0, 1), event(1, 0, 0, 1)])
def test_what_is_no_event_is_refused(data: bytes) -> None:
    with pytest.raises(RefusalError):
        list(parse_edges(data))


def test_each_pulse_counts_once() -> None:
    assert counted(pulses(100, 0)).total == 100


def test_a_count_goes_on_where_it_stood() -> None:
    counter = PulseCounter(30, total=41)
    for edge in parse_edges(pulses(1, 0)):
        counter.feed(edge)

    assert counter.total == 42


def test_bounces_around_a_pulse_are_part_of_it() -> None:
    times = [(1000, CLOSED), (1003, OPENED), (1006, CLOSED), (1050, OPENED), (1055, CLOSED), (1058, OPENED)]
    data = b"".join(event(at_ms, kind, 0, n) for n, (at_ms, kind) in enumerate(times, 1))

    assert counted(data).total == 1


def test_the_rest_is_measured_to_the_last_edge_and_reaches_at_its_very_millisecond() -> None:
    def second_closing_at(at_ms: int) -> int:
        edges = [(1000, CLOSED), (1050, OPENED), (at_ms, CLOSED)]
        return counted(b"".join(event(one, kind, 0, n) for n, (one, kind) in enumerate(edges, 1))).total

    assert second_closing_at(1079) == 1
    assert second_closing_at(1080) == 2


def test_an_opening_alone_counts_nothing() -> None:
    assert counted(event(1000, OPENED, 0, 1)).total == 0


def test_a_hole_in_the_numbers_is_told_and_its_pulses_are_not_guessed() -> None:
    counter = counted(pulses(2, 0) + pulses(1, 0, first=11, begin_ms=9_000))

    assert counter.total == 3
    assert counter.lost_edges == 6


def test_a_line_opened_anew_begins_its_numbers_again_and_loses_nothing() -> None:
    counter = counted(pulses(2, 0, first=101, begin_ms=90_000))
    counter.reopen()
    for edge in parse_edges(pulses(1, 0, begin_ms=100)):
        counter.feed(edge)

    assert (counter.total, counter.lost_edges) == (3, 0)
