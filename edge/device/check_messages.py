"""Checks the `messages` section of a meter that speaks MQTT; companion of `edge.device.check`."""

from __future__ import annotations

import re
from collections.abc import Collection

from edge.device.model import PAYLOAD_CODINGS, TIME_FORMS, Messages
from edge.device.sections import Section

TOPICS_MOST = 8
FRESH_S_MOST = 14 * 86_400
PORT_MOST = 255
_TOPIC = r"[^#\s\x00]*\{address\}[^#\s\x00]*"
_NAMES = re.compile(r"\{([^{}]*)\}")


def check_messages(section: Section, parameters: Collection[str]) -> Messages:
    """Return the messages of a model; `parameters` are the names that topics and paths may hold in braces."""
    messages = Messages(
        topics=section.texts("topics"),
        fresh_for_s=section.integer("fresh_for_s", least=1, most=FRESH_S_MOST),
        key=section.texts("key", default=()),
        time=section.texts("time", default=()),
        time_form=section.choice("time_form", TIME_FORMS) if section.has("time") else "",
        identity=section.texts("identity", default=()),
        payload=section.texts("payload", default=()),
        payload_coding=section.choice("payload_coding", PAYLOAD_CODINGS) if section.has("payload") else "",
        port=section.texts("port", default=()),
        port_number=section.integer("port_number", least=1, most=PORT_MOST) if section.has("port") else 0,
    )
    section.finish()
    if not 1 <= len(messages.topics) <= TOPICS_MOST:
        section.fault("topics", f"holds {len(messages.topics)} topics", f"give 1 to {TOPICS_MOST}")
    for topic in messages.topics:
        if re.fullmatch(_TOPIC, topic) is None:
            section.fault("topics", f"{topic!r} does not name the meter", "write {address} where its name stands")
        check_names(section, "topics", topic, parameters)
    return messages


def check_names(section: Section, key: str, text: str, parameters: Collection[str]) -> None:
    """Note every name in braces that is no parameter, and every brace that belongs to none."""
    for name in sorted(set(_NAMES.findall(text)) - {"address", *parameters}):
        section.fault(key, f"{{{name}}} is no parameter", "declare it under `parameters`")
    if set("{}") & set(_NAMES.sub("", text)):
        section.fault(key, f"{text!r} has a brace that belongs to no name", "write {name}")
