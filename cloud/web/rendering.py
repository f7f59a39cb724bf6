"""Turning values into pages: the template environment, its filters, and the two languages.

A page is rendered from values only. Every text is escaped unless it is a template's own; amounts, quantities and
dates are formatted here and nowhere else. `say("中文", "English")` puts both languages side by side, Chinese first.
"""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from common.civil import Period
from common.errors import ensure
from common.measure.quantity import format_milli
from common.money.amount import format_minor

WEB = Path(__file__).parent
TEMPLATES = WEB / "templates"
STATIC = WEB / "static"
ZONE = ZoneInfo("Asia/Shanghai")
_GROUP = 3
_MASK = "*"
_BASIS_POINTS = 10_000
_PHONE_HEAD = 3
_PHONE_TAIL = 4


def environment() -> Environment:
    """Return the template environment of all pages; an unknown name in a template is an error, never a blank."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(say=say)
    made.filters.update(
        yuan=yuan,
        rmb=rmb,
        milli=format_milli,
        day=day,
        span=span,
        instant=instant,
        percent=percent,
        script_json=script_json,
        age=age,
    )
    return made


def say(zh: str, en: str) -> Markup:
    """Return both languages, Chinese first."""
    return Markup('<span lang="zh">{}</span> <span class="en" lang="en">{}</span>').format(zh, en)


def yuan(fen: int) -> str:
    """Return fen as yuan with grouped digits, `-123456` as `-1,234.56`."""
    text = format_minor(abs(fen))
    whole, _, fraction = text.partition(".")
    groups: list[str] = []
    while len(whole) > _GROUP:
        whole, tail = whole[:-_GROUP], whole[-_GROUP:]
        groups.insert(0, tail)
    sign = "-" if fen < 0 else ""
    return f"{sign}{','.join([whole, *groups])}.{fraction}"


def rmb(fen: int) -> str:
    """Return fen with the sign of the currency, `-123456` as `-¥1,234.56`."""
    return f"{'-' if fen < 0 else ''}¥{yuan(abs(fen))}"


def day(value: date) -> str:
    """Return a civil day in ISO form."""
    return value.isoformat()


def span(period: Period) -> str:
    """Return the first and the last day of a period."""
    return f"{day(period.start)} – {day(period.end - timedelta(days=1))}"


def instant(value: datetime, zone: ZoneInfo = ZONE) -> str:
    """Return an instant as civil date and minute in the community's zone."""
    return value.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def percent(part: int, whole: int) -> str:
    """Return part of whole in per cent with two decimals, cut and not rounded, so that 100.00 means all of it."""
    ensure(whole >= 0, "a whole is not negative")
    if whole == 0:
        return "—"
    points = part * _BASIS_POINTS // whole
    return f"{points // 100}.{points % 100:02d}%"


def age(span: timedelta) -> str:
    """Return an age in whole days, or hours below one day."""
    return f"{span.days} 天 d" if span.days else f"{span.seconds // 3600} 小时 h"


def mask_phone(phone: str) -> str:
    """Return a phone number with its middle hidden, `138****1234`."""
    if len(phone) <= _PHONE_HEAD + _PHONE_TAIL:
        return _MASK * len(phone)
    hidden = _MASK * (len(phone) - _PHONE_HEAD - _PHONE_TAIL)
    return f"{phone[:_PHONE_HEAD]}{hidden}{phone[-_PHONE_TAIL:]}"


def mask_name(name: str) -> str:
    """Return a name with all but its first character hidden, `张*`."""
    return name[:1] + _MASK * (len(name) - 1)


def mask_plate(plate: str) -> str:
    """Return a plate with its middle hidden, `京A·***45`."""
    return f"{plate[:2]}·{_MASK * max(0, len(plate) - 4)}{plate[-2:]}"


def script_json(value: object) -> Markup:
    """Return a value as JSON that is safe inside a script element of type application/json."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704 - escaped above
