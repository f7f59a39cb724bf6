"""Amounts in words, as Chinese receipts and bills write them (人民币大写), from whole fen.

One 零 stands for a run of zeros between digits that are not zero, none at the end of a group of four; between groups it
stands when the lower group is below a thousand or a whole group is zero. Whole yuan end in 整.
"""

from __future__ import annotations

from common.money.amount import check_int64

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_UNITS = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿", "万亿", "亿亿")
_GROUP = 10_000
_THOUSAND = 1_000


def amount_in_words(fen: int) -> str:
    """Return an amount of fen in words, `168032` as 人民币壹仟陆佰捌拾元零叁角贰分.

    Raises:
        InvariantError: the amount does not fit 64 bits.
    """
    check_int64(fen, "money")
    yuan, cents = divmod(abs(fen), 100)
    jiao, rest = divmod(cents, 10)
    sign = "人民币负" if fen < 0 else "人民币"
    if not cents:
        return f"{sign}{_whole(yuan) or _DIGITS[0]}元整"
    words = f"{_whole(yuan)}元" if yuan else ""
    if jiao:
        gap = _DIGITS[0] if yuan and yuan % 10 == 0 else ""
        return f"{sign}{words}{gap}{_DIGITS[jiao]}角" + (f"{_DIGITS[rest]}分" if rest else "")
    gap = _DIGITS[0] if yuan else ""
    return f"{sign}{words}{gap}{_DIGITS[rest]}分"


def _whole(yuan: int) -> str:
    """Return whole yuan in words without their unit; nothing for zero."""
    groups = []
    while yuan:
        yuan, group = divmod(yuan, _GROUP)
        groups.append(group)
    words = ""
    for place in range(len(groups) - 1, -1, -1):
        group = groups[place]
        if not group:
            continue
        gap = _DIGITS[0] if words and (group < _THOUSAND or groups[place + 1] == 0) else ""
        words += f"{gap}{_four(group)}{_GROUPS[place]}"
    return words


def _four(group: int) -> str:
    """Return a number below ten thousand in words."""
    words = ""
    for place in reversed(range(len(_UNITS))):
        digit = group // 10**place % 10
        if digit:
            words += _DIGITS[digit] + _UNITS[place]
        elif words and not words.endswith(_DIGITS[0]) and group % 10**place:
            words += _DIGITS[0]
    return words
