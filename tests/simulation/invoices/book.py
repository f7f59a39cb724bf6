"""The platform's own book: orders it took, invoices with numbers of their own, forms of red letters. Money in fen.

Written from the platform's documents, apart from the product: it computes the tax again, refuses what does not sum,
numbers from a block of its own, and issues a red invoice once its form needs nobody or the buyer has confirmed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any

CENT = Decimal("0.01")
FIRST_NUMBER = 26_312_000_000_000_000_001


class Trouble(StrEnum):
    """What happens to the next order, or to the next answer."""

    LATE = "late"  # stays under way until it is let go
    REFUSED = "refused"  # the tax administration refuses it
    ANSWER_LOST = "answer_lost"  # taken on, but the answer never arrives
    NEVER_CAME = "never_came"  # broken before anything was taken on
    DOUBLED = "doubled"  # answered as a double of itself
    WRONG_AMOUNT = "wrong_amount"  # issued over one cent more
    SAME_NUMBER = "same_number"  # issued under a number that is taken
    FALSE_NO = "false_no"  # answered with a refusal although it was taken on


class PlatformRefusalError(Exception):
    """The platform says no."""

    def __init__(self, code: str, describe: str) -> None:
        super().__init__(describe)
        self.code, self.describe = code, describe


@dataclass(slots=True, kw_only=True)
class Paper:
    """An invoice of the book; a red one has amounts below zero."""

    order: str
    serial: str
    kind: str
    buyer: str
    lines: list[dict[str, Any]]
    net: Decimal
    tax: Decimal
    blue: str = ""
    status: str = "20"
    cause: str = ""
    number: str = ""

    @property
    def total(self) -> Decimal:
        """Return what stands on it, tax included."""
        return self.net + self.tax


@dataclass(slots=True, kw_only=True)
class Form:
    """A confirmation form of a red letter."""

    bill_id: str
    blue: Paper
    reason: str
    net: Decimal
    tax: Decimal
    status: str
    red: Paper | None = None


@dataclass(slots=True)
class TaxBook:
    """The book of one seller."""

    papers: list[Paper] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    handed_over: int = 0

    def trouble(self) -> Trouble | None:
        """Return what goes wrong with the order in hand."""
        return self.troubles.pop(0) if self.troubles else None

    def take(self, order: dict[str, Any], trouble: Trouble | None) -> Paper:
        """Take an order on, and issue it at once unless it is late or refused."""
        self.handed_over += 1
        if any(paper.order == order["orderNo"] for paper in self.papers):
            raise PlatformRefusalError("E9106", "订单编号或流水号不能重复")
        if not order["buyerName"] or (order["invoiceLine"] == "bs" and not order["buyerTaxNum"]):
            raise PlatformRefusalError("E9201", "购方信息不完整")
        lines = [self._line(line) for line in order["invoiceDetail"]]
        paper = Paper(
            order=order["orderNo"],
            serial=f"26{len(self.papers) + 1:018d}",
            kind=order["invoiceLine"],
            buyer=order["buyerName"],
            lines=lines,
            net=sum((line["net"] for line in lines), Decimal(0)),
            tax=sum((line["tax"] for line in lines), Decimal(0)),
        )
        self.papers.append(paper)
        if trouble is Trouble.REFUSED:
            paper.status, paper.cause = "22", "授信额度不足"
        elif trouble is not Trouble.LATE:
            self.issue(paper, trouble)
        return paper

    def issue(self, paper: Paper, trouble: Trouble | None = None) -> None:
        """Number an invoice."""
        taken = [one.number for one in self.papers if one.number]
        paper.number = str(FIRST_NUMBER + len(taken))
        if trouble is Trouble.SAME_NUMBER:
            paper.number = taken[0]
        if trouble is Trouble.WRONG_AMOUNT:
            paper.net += CENT
        paper.status = "2"

    def let_go(self) -> None:
        """Issue what was late, and what a buyer has confirmed meanwhile."""
        for paper in self.papers:
            if paper.status == "20":
                self.issue(paper)

    def apply(self, wish: dict[str, Any], trouble: Trouble | None) -> Form:
        """Take the form of a red letter on."""
        self.handed_over += 1
        if any(form.bill_id == wish["billId"] for form in self.forms):
            raise PlatformRefusalError("E9106", "红字确认单申请号不能重复")
        blue = next((one for one in self.papers if one.number == wish["blueElecInvoiceNumber"]), None)
        if blue is None or blue.blue:
            raise PlatformRefusalError("E9301", "未找到对应蓝票")
        net, tax = -blue.net, -blue.tax
        if wish["detail"]:
            net = sum((Decimal(line["taxExcludedAmount"]) for line in wish["detail"]), Decimal(0))
            tax = sum((Decimal(line["taxAmount"]) for line in wish["detail"]), Decimal(0))
        gone = sum((form.net + form.tax for form in self.forms if form.blue is blue and form.status < "05"), Decimal(0))
        if net > 0 or tax > 0 or blue.total + gone + net + tax < 0:
            raise PlatformRefusalError("E9302", "冲红金额超过蓝票剩余金额")
        status = "16" if trouble is Trouble.REFUSED else "02" if blue.kind == "bs" else "01"
        form = Form(bill_id=wish["billId"], blue=blue, reason=wish["redReason"], net=net, tax=tax, status=status)
        self.forms.append(form)
        if status == "01":
            self._red(form, trouble)
        return form

    def buyer_says(self, *, agrees: bool) -> None:
        """Let the buyer answer every form that waits for him."""
        for form in self.forms:
            if form.status == "02":
                form.status = "04" if agrees else "05"
                if agrees:
                    self._red(form, None)

    def standing(self) -> Decimal:
        """Return what stands invoiced: blue less red, all issued."""
        return sum((one.total for one in self.papers if one.number), Decimal(0))

    def _red(self, form: Form, trouble: Trouble | None) -> None:
        paper = Paper(
            order=form.bill_id,
            serial=f"26{len(self.papers) + 1:018d}",
            kind=form.blue.kind,
            buyer=form.blue.buyer,
            lines=[],
            net=form.net,
            tax=form.tax,
            blue=form.blue.number,
        )
        self.papers.append(paper)
        form.red = paper
        if trouble is not Trouble.LATE:
            self.issue(paper, trouble)

    def _line(self, line: dict[str, Any]) -> dict[str, Any]:
        total, net, tax = (Decimal(line[name]) for name in ("taxIncludedAmount", "taxExcludedAmount", "tax"))
        rate = Decimal(line["taxRate"])
        exact = (total / (1 + rate) * rate).quantize(CENT, ROUND_HALF_UP)
        if net + tax != total or abs(exact - tax) > CENT:
            raise PlatformRefusalError("E9202", "价税合计与税额不符")
        if len(line["goodsCode"]) != 19 or total <= 0:
            raise PlatformRefusalError("E9203", "商品编码或金额有误")
        return {"name": line["goodsName"], "net": net, "tax": tax}
