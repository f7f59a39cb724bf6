"""camt.053: a statement as ISO 20022 writes it. Credit or debit, reversals, one entry with one or several details.

The document is parsed with entities refused, and proves itself: opening balance plus entries is the closing one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from xml.etree import ElementTree as ET

from cloud.payments.channels.bank.lines import BankLine, BankStatement, fault, require_total
from common.errors import RefusalError
from common.money.amount import parse_scaled

_OPENING, _CLOSING = {"OPBD", "PRCD"}, {"CLBD"}


def read_camt053(raw: bytes) -> BankStatement:
    """Return the checked statement.

    Raises:
        FaultsError: it is not camt.053, names entities, or its balances do not hold.
    """
    if b"<!DOCTYPE" in raw or b"<!ENTITY" in raw:
        raise fault("document", "it declares a document type; banks' statements have none")
    try:
        root = ET.fromstring(raw)  # noqa: S314 - refused above
    except ET.ParseError as error:
        raise fault("document", "it is not XML") from error
    statements = [node for node in root.iter() if _name(node) == "Stmt"]
    if len(statements) != 1:
        raise fault("document", f"it holds {len(statements)} statements where one belongs")
    (statement,) = statements
    balances = {_text(node, "Cd"): _signed(node) for node in statement if _name(node) == "Bal"}
    opening = next((fen for code, fen in balances.items() if code in _OPENING), None)
    closing = next((fen for code, fen in balances.items() if code in _CLOSING), None)
    if opening is None or closing is None:
        raise fault("Bal", "the opening or closing balance is missing")
    lines: list[BankLine] = []
    balance_fen = opening
    for entry in (node for node in statement if _name(node) == "Ntry"):
        for line in _lines(entry, len(lines) + 1, balance_fen):
            balance_fen = line.balance_fen or 0
            lines.append(line)
    require_total("CLBD", balance_fen, closing)
    return BankStatement(kind="camt053", lines=tuple(lines), opening_fen=opening, closing_fen=closing)


def _lines(entry: ET.Element, n: int, before_fen: int) -> Iterator[BankLine]:
    whole_fen = _signed(entry) * (-1 if _text(entry, "RvslInd") == "true" else 1)
    details = [node for node in entry.iter() if _name(node) == "TxDtls"]
    several = len(details) > 1 and all(_own_amount(node) is not None for node in details)
    parts = [(node, _own_amount(node) or 0) for node in details] if several else [(entry, abs(whole_fen))]
    sign = 1 if whole_fen >= 0 else -1
    if sum(fen for _, fen in parts) != abs(whole_fen):
        raise fault(f"entry {n}", "its details do not sum to it")
    serial = _text(entry, "AcctSvcrRef") or _text(entry, "NtryRef")
    for place, (node, fen) in enumerate(parts):
        before_fen += sign * fen
        party = "Dbtr" if sign > 0 else "Cdtr"
        yield BankLine(
            n=n + place,
            day=_day(entry),
            time="",
            fen=sign * fen,
            balance_fen=before_fen,
            serial=f"{serial}/{place}" if several and serial else serial,
            name=_of_party(node, party),
            account=_of_party(node, f"{party}Acct"),
            memo=" ".join(text for text in (_text(node, "Ustrd"), _text(node, "EndToEndId")) if text),
        )


def _own_amount(node: ET.Element) -> int | None:
    amount = next((one for one in node.iter() if _name(one) == "Amt"), None)
    return None if amount is None else _fen(amount)


def _signed(node: ET.Element) -> int:
    amount = next((one for one in node if _name(one) == "Amt"), None)
    side = next((one.text for one in node if _name(one) == "CdtDbtInd"), None)
    if amount is None or side not in {"CRDT", "DBIT"}:
        raise fault(_name(node), "amount or side is missing")
    if amount.get("Ccy") != "CNY":
        raise fault(_name(node), f"the amount is in {amount.get('Ccy')}; this book is in CNY")
    return _fen(amount) if side == "CRDT" else -_fen(amount)


def _fen(amount: ET.Element) -> int:
    try:
        return parse_scaled((amount.text or "").strip(), 2, "Amt")
    except RefusalError as error:
        raise fault("Amt", str(error)) from error


def _day(entry: ET.Element) -> date:
    booked = next((node for node in entry if _name(node) == "BookgDt"), None)
    text = "" if booked is None else (_text(booked, "Dt") or _text(booked, "DtTm"))
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise fault("BookgDt", f"{text!r} is no day") from error


def _of_party(node: ET.Element, role: str) -> str:
    found = next((one for one in node.iter() if _name(one) == role), None)
    return "" if found is None else (_text(found, "Nm") or _text(found, "Id"))


def _text(node: ET.Element, name: str) -> str:
    for one in node.iter():
        if _name(one) == name and (one.text or "").strip():
            return (one.text or "").strip()
    return ""


def _name(node: ET.Element) -> str:
    return str(node.tag).rpartition("}")[2]
