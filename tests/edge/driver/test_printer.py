"""A receipt printer over a real socket: asked first, printed once, its state told."""

from __future__ import annotations

import asyncio

import pytest

from edge.driver.printer import Printed, Printer
from edge.protocol.escpos import Line, receipt
from tests.simulation.devices.receipt_printer import ReceiptPrinter

DATA = receipt([Line(text="缴费凭条", big=True), Line(text="电费", right="\N{YEN SIGN}76.25")], "https://x/pay/t")


@pytest.mark.parametrize(
    ("paper", "cover", "printed"),
    [(True, False, Printed.PRINTED), (False, False, Printed.NO_PAPER), (True, True, Printed.COVER_OPEN)],
)
async def test_a_printer_prints_or_says_why_not(*, paper: bool, cover: bool, printed: Printed) -> None:
    async with ReceiptPrinter(paper=paper, cover_open=cover) as printer:
        assert await Printer(f"127.0.0.1:{printer.port}").print(DATA) is printed
        await asyncio.sleep(0.05)
        paid = "缴费凭条\n电费" + " " * 21 + "\N{FULLWIDTH YEN SIGN}76.25\n"
        assert printer.text == (paid if printed is Printed.PRINTED else "")
        assert printer.cuts == (printed is Printed.PRINTED)
        assert printer.codes == (["https://x/pay/t"] if printed is Printed.PRINTED else [])


async def test_no_printer_and_one_that_is_away_are_told_apart() -> None:
    assert await Printer(None).print(DATA) is Printed.NONE
    async with ReceiptPrinter() as printer:
        port = printer.port
    assert await Printer(f"127.0.0.1:{port}").print(DATA) is Printed.SILENT
