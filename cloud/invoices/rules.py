"""What may be invoiced and how: check symbols of tax numbers, what is left of each paid line, what is too much. Pure.

Only what was truly paid is invoiced, line by line, and never twice; a deposit or money of another fund is nothing
sold. What goes back after it was invoiced is taken back by red letters, the newest invoice first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from cloud.billing.lines import LineDraft, net_of
from cloud.invoices.values import (
    EMAIL_LENGTH_MAX,
    NAME_LENGTH_MAX,
    Colour,
    Invoice,
    InvoiceLine,
    InvoiceState,
    Title,
    TitleKind,
)
from cloud.ledger.accounts import AccountType
from cloud.ledger.journals import LineMove, LineRef
from cloud.tariffs.charge import FundClass, Nature
from common.errors import RefusalError

GOODS_CODE_LENGTH = 19
NUMBER = re.compile(r"[0-9]{20}")
_PAYING = frozenset(
    {
        AccountType.CASH,
        AccountType.CLEARING,
        AccountType.BANK,
        AccountType.SUSPENSE,
        AccountType.PREPAYMENT,
        AccountType.DEPOSIT_HELD,
    }
)
_CREDIT_CODE = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_MAILBOX = re.compile(r"[A-Za-z0-9._%+-]{1,40}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_ORDER_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ORDER_SYMBOLS = 11
_ASK_FIRST = (
    timedelta(seconds=5),
    timedelta(seconds=20),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=20),
    timedelta(hours=1),
)
_ASK_EVERY = timedelta(hours=6)
ASKS_MAX = len(_ASK_FIRST) + 14  # beyond the 72 hours in which a buyer may confirm a red letter
NEVER_CAME_ASKS = len(_ASK_FIRST)  # by then the platform refuses the signature of the call as stale
RETRIES = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6), timedelta(hours=24))


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidLine:
    """A bill line with what was paid of it."""

    ref: LineRef
    line: LineDraft
    paid_fen: int


def checked(title: Title) -> Title:
    """Return a title in its normal form.

    Raises:
        RefusalError: its name, tax number or address of mail cannot be.
    """
    name, number, email = title.name.strip(), title.tax_number.strip().upper(), title.email.strip()
    if not 0 < len(name) <= NAME_LENGTH_MAX or not name.isprintable():
        raise RefusalError(f"请填写发票抬头; write whom the invoice is for, at most {NAME_LENGTH_MAX} characters")
    if title.kind is TitleKind.PERSON and number:
        raise RefusalError("个人抬头不填税号; a person has no tax number here, leave it empty")
    if title.kind is TitleKind.COMPANY and not is_credit_code(number):
        raise RefusalError("税号有误, 请核对 18 位统一社会信用代码; the tax number's check symbol does not fit")
    if email and (len(email) > EMAIL_LENGTH_MAX or _MAILBOX.fullmatch(email) is None):
        raise RefusalError("邮箱有误; this is no address of mail, correct it or leave it empty")
    return replace(title, name=name, tax_number=number, email=email)


def is_credit_code(text: str) -> bool:
    """Return whether a text is a unified social credit code with its check symbol (GB 32100-2015, modulo 31)."""
    if _CREDIT_CODE.fullmatch(text) is None:
        return False
    total = sum(_CREDIT_ALPHABET.index(one) * pow(3, place, 31) for place, one in enumerate(text[:-1]))
    return _CREDIT_ALPHABET[-total % 31] == text[-1]


def shown_as(title: Title) -> str:
    """Return a title as lists may show it: of a person the first character, of a company its end is kept back."""
    kept = 1 if title.kind is TitleKind.PERSON else max(2, len(title.name) // 2)
    return f"{title.name[:kept]}{'*' * min(6, max(1, len(title.name) - kept))}"


def goods_code(tax_code: str) -> str:
    """Return the tax classification code in its full length: a code of a group is filled with zeros.

    Raises:
        RefusalError: the charge item has none.
    """
    if not tax_code.isascii() or not tax_code.isdigit() or not 0 < len(tax_code) <= GOODS_CODE_LENGTH:
        raise RefusalError("收费项缺少税收分类编码; the charge item has no tax classification code, set one first")
    return tax_code.ljust(GOODS_CODE_LENGTH, "0")


def order_number(invoice_id: UUID, colour: Colour, day: date) -> str:
    """Return our number for an invoice: 20 symbols that follow from its id, the same however often it is made."""
    rest, symbols = invoice_id.int, ""
    for _ in range(_ORDER_SYMBOLS):
        rest, place = divmod(rest, len(_ORDER_ALPHABET))
        symbols = _ORDER_ALPHABET[place] + symbols
    return f"{'F' if colour is Colour.BLUE else 'H'}{day:%Y%m%d}{symbols}"


def paid_fen(moves: Sequence[LineMove]) -> int:
    """Return what of a line is settled by money now; what a credit released or a refund took back is not."""
    return -sum(move.fen for move in moves if move.other in _PAYING)


def invoiced_fen(invoices: Sequence[Invoice]) -> Counter[LineRef]:
    """Return what of each bill line stands invoiced or may come to: only an issued red letter gives it back."""
    found: Counter[LineRef] = Counter()
    for one in invoices:
        if one.colour is Colour.BLUE and one.state is not InvoiceState.REFUSED:
            found.update({line.line: line.fen for line in one.lines})
        elif one.colour is Colour.RED and one.state is InvoiceState.ISSUED:
            found.subtract({line.line: line.fen for line in one.lines})
    return found


def lines_to_invoice(
    paid: Sequence[PaidLine], invoices: Sequence[Invoice], *, with_agency: bool
) -> tuple[InvoiceLine, ...]:
    """Return the lines of the next invoice of a bill: all that was paid and is not invoiced.

    Raises:
        RefusalError: the bill holds a deposit, a line has no code, or nothing is left to invoice.
    """
    if any(one.line.charge.fund_class is FundClass.DEPOSIT for one in paid):
        raise RefusalError("押金不开发票; a bill with a deposit is never invoiced, its receipt is the voucher")
    taken = invoiced_fen(invoices)
    found: list[InvoiceLine] = []
    for one in paid:
        fen = one.paid_fen - taken[one.ref]
        charge = one.line.charge
        is_sold = charge.nature is Nature.REVENUE or (with_agency and charge.nature is Nature.AGENCY)
        if fen <= 0 or not is_sold or charge.fund_class is not FundClass.OPERATING:
            continue
        found.append(
            InvoiceLine(
                n=len(found) + 1,
                line=one.ref,
                name=charge.name_zh,
                goods_code=goods_code(charge.tax_code),
                rate_micro=charge.tax_rate_micro,
                fen=fen,
                net_fen=net_of(fen, charge.tax_rate_micro),
            )
        )
    if not found:
        raise RefusalError("没有可开票金额; nothing that was paid is left to invoice")
    return tuple(found)


def left_of(blue: Invoice, invoices: Sequence[Invoice]) -> tuple[InvoiceLine, ...]:
    """Return what of a blue invoice no red letter has taken or may still take."""
    taken_fen: Counter[int] = Counter()
    taken_net: Counter[int] = Counter()
    for red in invoices:
        if red.blue_id == blue.invoice_id and red.state is not InvoiceState.REFUSED:
            taken_fen.update({line.n: line.fen for line in red.lines})
            taken_net.update({line.n: line.net_fen for line in red.lines})
    return tuple(
        replace(line, fen=line.fen - taken_fen[line.n], net_fen=line.net_fen - taken_net[line.n])
        for line in blue.lines
        if line.fen > taken_fen[line.n]
    )


def too_much(
    paid: Mapping[LineRef, int], invoices: Sequence[Invoice], *, by_hand: bool = False
) -> tuple[tuple[Invoice, tuple[InvoiceLine, ...]], ...]:
    """Return which issued invoices are to be taken back and by which lines, the newest first.

    What a red letter on its way takes is taken already. A part is taxed like the whole, and the last part takes the
    rest, so that blue and red lines sum to nothing. An invoice whose red letter was refused waits for a person.
    """
    standing = {
        one.invoice_id: left_of(one, invoices)
        for one in invoices
        if one.colour is Colour.BLUE and one.state is InvoiceState.ISSUED
    }
    excess: Counter[LineRef] = Counter()
    for lines in standing.values():
        excess.update({line.line: line.fen for line in lines})
    excess.subtract({ref: paid.get(ref, 0) for ref in excess})
    found: list[tuple[Invoice, tuple[InvoiceLine, ...]]] = []
    stuck = {one.blue_id for one in invoices if one.state is InvoiceState.REFUSED and not by_hand}
    newest = sorted(invoices, key=lambda one: (one.requested_at, one.invoice_id), reverse=True)
    for blue in newest:
        taken: list[InvoiceLine] = []
        for line in standing.get(blue.invoice_id, ()):
            fen = min(line.fen, excess[line.line])
            if fen > 0:
                excess[line.line] -= fen
                taken.append(part_of(line, fen))
        if taken and blue.invoice_id not in stuck:
            found.append((blue, tuple(taken)))
    return tuple(found)


def part_of(line: InvoiceLine, fen: int) -> InvoiceLine:
    """Return a part of a line with its share of the tax; the whole rest keeps the rest of the tax."""
    net_fen = line.net_fen if fen == line.fen else min(net_of(fen, line.rate_micro), line.net_fen)
    return replace(line, fen=fen, net_fen=net_fen)


def pause_before_asking(asked: int) -> timedelta | None:
    """Return how long to wait before the next question, or None when it was asked to the end."""
    if asked >= ASKS_MAX:
        return None
    return _ASK_FIRST[asked] if asked < len(_ASK_FIRST) else _ASK_EVERY


def pause_before_sending(attempts: int) -> timedelta | None:
    """Return how long to wait before what was surely not sent is sent, or None when it is given up."""
    return RETRIES[attempts - 1] if attempts <= len(RETRIES) else None
