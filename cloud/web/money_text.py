"""Amounts as people type them at a desk: `1,234.5`, `¥1234.50`, full-width digits and points."""

from __future__ import annotations

import unicodedata

from common.money.amount import parse_money

_IGNORED = str.maketrans("", "", "¥,\N{FULLWIDTH YEN SIGN} \N{NO-BREAK SPACE}")


def parse_yuan(text: str) -> int:
    """Return an amount in yuan as fen.

    Raises:
        RefusalError: the text is not an amount.
    """
    plain = unicodedata.normalize("NFKC", text).replace("\N{IDEOGRAPHIC FULL STOP}", ".")
    return parse_money(plain.translate(_IGNORED)).minor


def parse_yuan_or_none(text: str) -> int | None:
    """Return an amount in yuan as fen, or None when nothing was typed.

    Raises:
        RefusalError: the text is not an amount.
    """
    return parse_yuan(text) if text.strip() else None
