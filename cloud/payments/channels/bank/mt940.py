"""MT940: a statement as SWIFT writes it. Decimal commas, `D` and `C`, `RC` and `RD` for reversals, free text in :86:.

A reversal of a credit is money that went again. The file proves itself: opening balance plus entries is the closing.
"""

from __future__ import annotations

import re
from datetime import date

from cloud.payments.channels.bank.lines import BankLine, BankStatement, fault, require_total
from common.errors import RefusalError
from common.money.amount import parse_scaled

_TAG = re.compile(r"^:(\d{2}[A-Z]?):", re.MULTILINE)
_BALANCE = re.compile(r"([CD])(\d{6})([A-Z]{3})([\d,]+)")
_ENTRY = re.compile(
    r"(?P<day>\d{6})(?P<booked>\d{4})?(?P<sign>R?[CD])(?P<funds>[A-Z])?(?P<amount>[\d,]+)"
    r"(?P<type>[NFS][A-Z0-9]{3})(?P<reference>[^\n/]{0,16}?)(?://(?P<bank>[^\n]{0,16}))?(?:\n(?P<more>[^\n]*))?\s*"
)
_SIGNS = {"C": 1, "D": -1, "RC": -1, "RD": 1}
_NO_REFERENCE = "NONREF"


def read_mt940(raw: bytes) -> BankStatement:
    """Return the checked statement.

    Raises:
        FaultsError: it is not MT940, is cut off, or its balances do not hold.
    """
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        text = raw.decode("gb18030", errors="replace").replace("\r\n", "\n")
    tags = _tags(text)
    opening = next((body for tag, body in tags if tag in {"60F", "60M"}), None)
    closing = next((body for tag, body in tags if tag in {"62F", "62M"}), None)
    if opening is None or closing is None:
        raise fault("balances", "the opening or closing balance is missing: the file was cut off")
    opening_fen, closing_fen = _balance(opening), _balance(closing)
    lines: list[BankLine] = []
    balance_fen = opening_fen
    for place, (tag, body) in enumerate(tags):
        if tag == "61":
            memo = tags[place + 1][1] if place + 1 < len(tags) and tags[place + 1][0] == "86" else ""
            line = _entry(len(lines) + 1, body, memo, balance_fen)
            balance_fen = line.balance_fen or 0
            lines.append(line)
    require_total(":62F:", balance_fen, closing_fen)
    return BankStatement(kind="mt940", lines=tuple(lines), opening_fen=opening_fen, closing_fen=closing_fen)


def _tags(text: str) -> list[tuple[str, str]]:
    found = list(_TAG.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    return [
        (match[1], text[match.end() : end].rstrip().removesuffix("\n-").rstrip())
        for match, end in zip(found, ends, strict=True)
    ]


def _entry(n: int, body: str, memo: str, before_fen: int) -> BankLine:
    match = _ENTRY.fullmatch(body)
    if match is None:
        raise fault(f"entry {n}", "it is not written as :61: is")
    try:
        fen = _SIGNS[match["sign"]] * _fen(match["amount"])
        day = _day(match["day"])
    except (RefusalError, ValueError) as error:
        raise fault(f"entry {n}", str(error)) from error
    reference = (match["reference"] or "").strip()
    told = memo.replace("\n", " ").strip()
    return BankLine(
        n=n,
        day=day,
        time="",
        fen=fen,
        balance_fen=before_fen + fen,
        serial=(match["bank"] or "").strip(),
        name="",
        account="",
        memo=f"{told} {reference}".strip() if reference not in {"", _NO_REFERENCE} else told,
    )


def _balance(body: str) -> int:
    match = _BALANCE.match(body)
    if match is None:
        raise fault("balances", f"{body!r} is not a balance")
    if match[3] != "CNY":
        raise fault("balances", f"the account is in {match[3]}; this book is in CNY")
    return (1 if match[1] == "C" else -1) * _fen(match[4])


def _fen(text: str) -> int:
    return parse_scaled(text.replace(",", ".").removesuffix("."), 2, "amount")


def _day(text: str) -> date:
    return date(2000 + int(text[:2]), int(text[2:4]), int(text[4:]))
