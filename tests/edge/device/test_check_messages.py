"""The `messages` section of an MQTT model: topics that name the meter, known parameters, bounded times."""

from __future__ import annotations

import pytest

from common.errors import Fault
from edge.device.check_messages import TOPICS_MOST, check_messages
from edge.device.model import Messages
from edge.device.sections import Section

GOOD = {"topics": ["tele/{address}/SENSOR"], "fresh_for_s": 900}


def checked(changes: dict[str, object]) -> tuple[Messages, list[Fault]]:
    faults: list[Fault] = []
    messages = check_messages(Section(GOOD | changes, "messages", faults), ["channel"])
    return messages, faults


def test_a_good_section_has_no_fault() -> None:
    messages, faults = checked(
        {
            "topics": ["shelly/{address}/events/{channel}", "a/+/{address}"],
            "time": ["Time"],
            "time_form": "unix_s",
            "payload": ["data"],
            "payload_coding": "hex",
            "port": ["fPort"],
            "port_number": 2,
        }
    )

    assert faults == []
    assert (messages.time_form, messages.payload_coding, messages.port_number) == ("unix_s", "hex", 2)


@pytest.mark.parametrize(
    ("what", "changes", "where"),
    [
        ("no topic", {"topics": []}, "messages.topics"),
        ("too many topics", {"topics": [f"{n}/{{address}}" for n in range(TOPICS_MOST + 1)]}, "messages.topics"),
        ("a topic of everybody", {"topics": ["tele/+/SENSOR"]}, "messages.topics"),
        ("a topic of everything", {"topics": ["{address}/#"]}, "messages.topics"),
        ("a parameter nobody declared", {"topics": ["{address}/{phase}"]}, "messages.topics"),
        ("no freshness", {"fresh_for_s": 0}, "messages.fresh_for_s"),
        ("fresh for ever", {"fresh_for_s": 10**9}, "messages.fresh_for_s"),
        ("a time without its form", {"time": ["Time"]}, "messages.time_form"),
        ("a payload without its coding", {"payload": ["data"]}, "messages.payload_coding"),
        ("an unknown coding", {"payload": ["data"], "payload_coding": "rot13"}, "messages.payload_coding"),
        ("a misspelt key", {"topic": "x"}, "messages.topic"),
    ],
)
def test_a_fault_names_its_key(what: str, changes: dict[str, object], where: str) -> None:
    _, faults = checked(changes)

    assert where in {fault.where for fault in faults}, what
