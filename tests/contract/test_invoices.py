"""What every platform of tax invoices promises, by the same sentences, each client against its simulator over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from cloud.invoices.providers.values import NeverCame, Numbered, Pending, Taken
from cloud.invoices.values import InvoiceKind
from cloud.kit.calls import Later, Refused, Unknown
from tests.contract.invoice_benches import COMPANY, LINES, PERSON, PLATFORMS, InvoiceBench, line, open_invoice_bench
from tests.simulation.invoices.book import Trouble

NUMBER = "F2026030500000000001"
RED = "H2026030500000000001"


@pytest_asyncio.fixture(params=PLATFORMS)
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[InvoiceBench]:
    async with open_invoice_bench(str(request.param)) as opened:
        yield opened


async def test_an_order_is_taken_on_and_comes_back_with_a_number_its_amounts_and_a_file(bench: InvoiceBench) -> None:
    assert isinstance(await bench.issuer.issue(bench.order()), Taken)
    found = await bench.issuer.ask(NUMBER)
    assert isinstance(found, Numbered), found
    assert len(found.number) == 20
    assert (found.net_fen, found.tax_fen) == (10_088, 612)
    assert found.at is not None
    assert found.file_url.endswith(f"{found.number}.pdf")


async def test_who_the_platform_does_not_know_hands_nothing_over_and_may_try_later(bench: InvoiceBench) -> None:
    assert isinstance(await bench.stranger.issue(bench.order()), Later)
    assert bench.book.handed_over == 0


async def test_an_order_nobody_handed_over_never_came(bench: InvoiceBench) -> None:
    assert isinstance(await bench.issuer.ask(NUMBER), NeverCame)
    assert isinstance(await bench.issuer.ask_red(RED), NeverCame)


async def test_an_answer_that_got_lost_is_unknown_though_the_invoice_is_issued(bench: InvoiceBench) -> None:
    bench.book.troubles.append(Trouble.ANSWER_LOST)
    assert isinstance(await bench.issuer.issue(bench.order()), Unknown)
    assert isinstance(await bench.issuer.ask(NUMBER), Numbered)


async def test_an_order_that_broke_on_its_way_is_unknown_and_never_came(bench: InvoiceBench) -> None:
    bench.book.troubles.append(Trouble.NEVER_CAME)
    assert isinstance(await bench.issuer.issue(bench.order()), Unknown)
    assert isinstance(await bench.issuer.ask(NUMBER), NeverCame)


async def test_what_is_still_under_way_is_pending_until_it_is_issued(bench: InvoiceBench) -> None:
    bench.book.troubles.append(Trouble.LATE)
    await bench.issuer.issue(bench.order())
    assert isinstance(await bench.issuer.ask(NUMBER), Pending)
    bench.book.let_go()
    assert isinstance(await bench.issuer.ask(NUMBER), Numbered)


async def test_what_the_tax_administration_refuses_is_a_final_no_with_its_reason(bench: InvoiceBench) -> None:
    bench.book.troubles.append(Trouble.REFUSED)
    await bench.issuer.issue(bench.order())
    found = await bench.issuer.ask(NUMBER)
    assert isinstance(found, Refused)
    assert "额度" in found.reason


async def test_an_order_that_does_not_sum_is_refused_at_once(bench: InvoiceBench) -> None:
    assert isinstance(await bench.issuer.issue(bench.order(lines=(line(1, 10_600, 9_000),))), Refused)
    assert isinstance(await bench.issuer.ask(NUMBER), NeverCame)


async def test_the_same_number_twice_is_one_invoice_and_the_second_answer_says_nothing(bench: InvoiceBench) -> None:
    first = await bench.issued()
    assert isinstance(await bench.issuer.issue(bench.order()), Unknown)
    assert await bench.issuer.ask(NUMBER) == first
    assert len(bench.book.papers) == 1


async def test_a_whole_invoice_is_taken_back_and_nothing_of_it_stands(bench: InvoiceBench) -> None:
    blue = await bench.issued()
    assert isinstance(await bench.issuer.take_back(bench.red(blue)), Taken)
    red = await bench.issuer.ask_red(RED)
    assert isinstance(red, Numbered), red
    assert (red.net_fen, red.tax_fen) == (blue.net_fen, blue.tax_fen)
    assert red.number != blue.number
    assert bench.book.standing() == 0


async def test_a_part_is_taken_back_by_its_lines(bench: InvoiceBench) -> None:
    blue = await bench.issued()
    part = bench.red(blue, lines=(line(1, 5_300, 5_000),), whole=False)
    assert isinstance(await bench.issuer.take_back(part), Taken)
    red = await bench.issuer.ask_red(RED)
    assert isinstance(red, Numbered), red
    assert (red.net_fen, red.tax_fen) == (5_000, 300)
    assert str(bench.book.standing()) == "54.00"


async def test_more_than_is_left_is_not_taken_back(bench: InvoiceBench) -> None:
    blue = await bench.issued()
    assert isinstance(await bench.issuer.take_back(bench.red(blue)), Taken)
    second = bench.red(blue, "H2026030500000000002")
    assert isinstance(await bench.issuer.take_back(second), Refused)


@pytest.mark.parametrize(("agrees", "ends"), [(True, Numbered), (False, Refused)])
async def test_a_special_invoice_waits_for_its_buyer_before_it_is_taken_back(
    bench: InvoiceBench, ends: type, *, agrees: bool
) -> None:
    blue = await bench.issued(title=COMPANY, kind=InvoiceKind.SPECIAL)
    await bench.issuer.take_back(bench.red(blue, title=COMPANY, kind=InvoiceKind.SPECIAL))
    assert await bench.issuer.ask_red(RED) == Pending(reference="3100000000001", needs_buyer=True)
    bench.book.buyer_says(agrees=agrees)
    assert isinstance(await bench.issuer.ask_red(RED), ends)


async def test_a_red_letter_that_the_tax_administration_refuses_is_a_final_no(bench: InvoiceBench) -> None:
    blue = await bench.issued()
    bench.book.troubles.append(Trouble.REFUSED)
    await bench.issuer.take_back(bench.red(blue))
    assert isinstance(await bench.issuer.ask_red(RED), Refused)


async def test_a_platform_that_is_down_answers_nothing(bench: InvoiceBench) -> None:
    await bench.issued()
    bench.platform.is_down = True
    assert isinstance(await bench.issuer.ask(NUMBER), Unknown)
    assert isinstance(await bench.issuer.issue(bench.order("F2026030500000000002")), Unknown)


async def test_what_an_order_shows_of_itself_in_a_log_is_no_title(bench: InvoiceBench) -> None:
    shown = repr(bench.order(title=COMPANY)) + repr(await bench.issued())
    assert COMPANY.name not in shown
    assert PERSON.email not in repr(bench.order())
    assert COMPANY.tax_number not in shown
    assert len(LINES) == 2
