"""The last net that keeps personal data and secrets out of logs, the same on gateway and cloud.

Events are not given such data in the first place. What slips in all the same is masked twice over: a field by its
name, whatever it holds, and a text by the shape of a phone number, an identity number or a plate, wherever it stands.
Names of people have no shape; they stay out because no event is given one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

MASKED = "***"
PERSONAL_FIELDS = frozenset(
    {
        "name",
        "phone",
        "plate",
        "id_number",
        "card",
        "openid",
        "address",
        "email",
        "password",
        "pin",
        "token",
        "code",
        "lookup_code",
        "secret",
    }
)
_SHAPES = re.compile(
    r"(?<![0-9A-Za-z])(?:\+?86[- ]?)?1[3-9][0-9]{9}(?![0-9A-Za-z])"  # a mobile phone
    r"|(?<![0-9A-Za-z])[1-9][0-9]{5}(?:19|20)[0-9]{9}[0-9Xx](?![0-9A-Za-z])"  # a resident identity number
    r"|[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使]"  # a plate: its region, then its number
    r"[A-Z][·. ]?[A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳]"
)


def mask_event(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask what is personal in a log event: a structlog processor, the last one before the text is made."""
    del logger, method
    for field, value in event.items():
        event[field] = _masked(field, value)
    return event


def mask_text(text: str) -> str:
    """Return a text with everything masked that has the shape of personal data."""
    return _SHAPES.sub(MASKED, text)


def _masked(field: str, value: Any) -> Any:
    if field in PERSONAL_FIELDS:
        return MASKED
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, Mapping):
        return {inner: _masked(str(inner), held) for inner, held in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked("", held) for held in value]
    return value
