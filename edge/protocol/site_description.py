"""Who puts frames of cameras, doors, piles, boards and kiosk parts into words, by the names of the vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edge.protocol.boards import describe_led_64, describe_led_aa55
from edge.protocol.cameras import (
    describe_base64_plate,
    describe_base64_text,
    describe_hikvision,
    describe_hikvision_command,
    describe_huaxia_answer,
    describe_zhenshi_answer,
    describe_zhenshi_push,
)
from edge.protocol.fcard import describe_fcard
from edge.protocol.id_card import describe_id_card
from edge.protocol.ocpp_json import describe_ocpp
from edge.protocol.pay_code import describe_pay_code
from edge.protocol.plates_description import describe_plate
from edge.protocol.uhppote import describe_uhppote
from edge.protocol.wiegand import describe_wiegand
from edge.protocol.ykc_description import describe_ykc

SITE_DESCRIBERS: Mapping[str, Callable[[bytes], Mapping[str, object]]] = {
    "Chinese plate": describe_plate,
    "FCARD controller": describe_fcard,
    "Hikvision ISAPI ANPR event": describe_hikvision,
    "Hikvision barrier command": describe_hikvision_command,
    "Huaxia mode 5 answer": describe_huaxia_answer,
    "ID card reader SAM-V": describe_id_card,
    "LED board AA55": describe_led_aa55,
    "LED/voice board 00 64 FF FF": describe_led_64,
    "OCPP 1.6-J": describe_ocpp,
    "Payment auth_code": describe_pay_code,
    "UHPPOTE/微耕 UDP": describe_uhppote,
    "Wiegand 26": describe_wiegand,
    "Wiegand 34": describe_wiegand,
    "YKC (云快充)": describe_ykc,
    "Zhenshi HTTP answer": describe_zhenshi_answer,
    "Zhenshi HTTP push": describe_zhenshi_push,
    "Zhenshi HTTP push, no plate": describe_zhenshi_push,
    "Zhenshi MQTT license (base64)": describe_base64_plate,
    "Zhenshi voice (base64)": describe_base64_text,
}
