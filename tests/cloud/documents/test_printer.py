"""Papers are made in another process; one that dies is replaced at the next paper."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from cloud.documents.printer import Printer
from cloud.documents.typesetting import PAPER, typeset
from cloud.kit.errors import BusyError
from common.errors import InvariantError
from tests.cloud.documents import examples


async def test_another_process_makes_the_same_bytes(printer: Printer) -> None:
    assert await printer.print(PAPER, examples.sheet()) == typeset(PAPER, examples.sheet())


async def test_data_that_cannot_be_printed_is_told_and_the_next_paper_is_made(printer: Printer) -> None:
    with pytest.raises(InvariantError, match="does not compile"):
        await printer.print(PAPER, {"title": []})
    assert await printer.print(PAPER, examples.sheet())


@pytest.mark.parametrize("since_s", [0.0, 0.5])
async def test_a_process_that_dies_under_a_paper_or_before_it_is_replaced_at_the_next(since_s: float) -> None:
    printer = Printer()
    await printer.print(PAPER, examples.sheet())
    assert printer._pool is not None
    for pid in list(printer._pool._processes):
        os.kill(pid, signal.SIGKILL)
    await asyncio.sleep(since_s)
    with pytest.raises(BusyError, match="try again"):
        await printer.print(PAPER, examples.sheet())
    assert await printer.print(PAPER, examples.sheet())
    printer.close()
    printer.close()
