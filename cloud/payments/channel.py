"""The names of the channels by which money reaches us."""

from __future__ import annotations

from enum import StrEnum


class Channel(StrEnum):
    """How money reaches us."""

    WECHAT = "wechat"
    CASH = "cash"
