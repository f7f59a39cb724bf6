"""A payer's code at the kiosk: sent once, asked about until it is known, and an honest word in each case."""

from __future__ import annotations

from uuid import UUID

import pytest

from common.errors import RefusalError
from common.wire.charge import ChargeState, Silence
from edge.kiosk.codes import CODE_DEAD_S, WISHES_MAX, Codes
from edge.kiosk.dues import parse_dues
from tests.edge.kiosk.desk_book import TillBook
from tests.edge.kiosk.test_pages import Box, box
from tests.edge.kiosk.test_paying import TOKEN, with_address

__all__ = ["box"]
CODE = "134650000000000001"
WISH = UUID(int=0x51)


class Bench:
    """The codes of a kiosk over a till that a test fills."""

    def __init__(self) -> None:
        self.till = TillBook()
        self.till.open = 7_625
        self.now_s = 0.0
        self.codes = Codes(self.till, lambda: self.now_s)

    async def paid(self, *told: ChargeState | Silence) -> str:
        """Show a code, and return the word of the wish after one look."""
        self.till.told = list(told)
        await self.codes.pay(WISH, TOKEN, "7625", CODE)
        return (await self.codes.look(WISH, TOKEN)).shown


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ([ChargeState.PAID], "paid"),
        ([ChargeState.WAITING], "waiting"),
        ([ChargeState.WAITING, ChargeState.PAID], "paid"),
        ([ChargeState.WAITING, ChargeState.FAILED], "failed"),
        ([ChargeState.WAITING, Silence.AWAY], "waiting"),
        ([ChargeState.REFUSED], "refused"),
        ([ChargeState.UNCLEAR], "unclear"),
        ([Silence.AWAY], "away"),
        ([Silence.UNKNOWN, Silence.AWAY], "unknown"),
        ([Silence.UNKNOWN, Silence.UNKNOWN], "unknown"),
        ([Silence.UNKNOWN, ChargeState.ABSENT], "unknown"),
        ([Silence.UNKNOWN, ChargeState.PAID], "paid"),
    ],
)
async def test_a_wish_says_what_is_known_of_it(told: list[ChargeState | Silence], shown: str) -> None:
    bench = Bench()
    assert await bench.paid(*told) == shown
    assert bench.till.charged == [(WISH, TOKEN, 7_625, CODE)]


async def test_a_wish_that_was_sent_is_never_sent_again() -> None:
    bench = Bench()
    await bench.paid(Silence.UNKNOWN)
    for _ in range(3):
        await bench.codes.pay(WISH, TOKEN, "7625", CODE)
    assert len(bench.till.charged) == 1


async def test_what_the_cloud_has_not_heard_of_fails_only_when_the_code_has_long_lost_its_worth() -> None:
    bench = Bench()
    assert await bench.paid(Silence.UNKNOWN, ChargeState.ABSENT) == "unknown"
    bench.now_s = CODE_DEAD_S
    assert (await bench.codes.look(WISH, TOKEN)).shown == "unknown"
    bench.now_s = CODE_DEAD_S + 1
    assert (await bench.codes.look(WISH, TOKEN)).shown == "failed"


async def test_after_a_restart_a_wish_is_asked_about() -> None:
    bench = Bench()
    bench.till.told = [ChargeState.PAID]
    assert (await bench.codes.look(WISH, TOKEN)).shown == "paid"
    assert bench.till.charged == []


async def test_a_wish_is_told_for_its_own_bill_only_and_the_memory_is_bounded() -> None:
    bench = Bench()
    await bench.paid(ChargeState.PAID)
    with pytest.raises(RefusalError):
        await bench.codes.look(WISH, "x" * 24)
    for number in range(WISHES_MAX + 5):
        await bench.codes.look(UUID(int=1000 + number), TOKEN)
    assert len(bench.codes._wishes) == WISHES_MAX


@pytest.mark.parametrize("scanned", ["", "6901234567892", "1" * 25, "13465000000000000A", "https://pay.example/pay/x"])
async def test_what_is_no_payment_code_is_not_sent(scanned: str) -> None:
    bench = Bench()
    with pytest.raises(RefusalError) as refused:
        await bench.codes.pay(WISH, TOKEN, "7625", scanned)
    assert bench.till.charged == []
    assert not scanned or scanned not in str(refused.value)


@pytest.mark.parametrize("amount", ["", "-1", "7,6", "9" * 12, "٣"])
async def test_an_amount_that_no_form_of_ours_holds_is_not_sent(amount: str) -> None:
    bench = Bench()
    with pytest.raises(RefusalError):
        await bench.codes.pay(WISH, TOKEN, amount, CODE)
    assert bench.till.charged == []


@pytest.mark.parametrize("told", [Silence.AWAY, Silence.UNKNOWN, ChargeState.REFUSED, ChargeState.PAID])
async def test_without_a_cloud_that_takes_it_no_code_is_asked_for(told: ChargeState | Silence) -> None:
    bench = Bench()
    bench.till.told = [told]
    assert await bench.codes.offer(TOKEN) is None


@pytest.fixture
def paying(box: Box) -> Box:
    box.dues = parse_dues(with_address())
    box.till.open = 7_625
    box.till.told = [ChargeState.ABSENT]
    return box


async def shown(box: Box, *told: ChargeState | Silence, code: str = CODE) -> str:
    """Show a code on the page of the bill, and return the page that follows."""
    box.till.told = list(told)
    form = {"wish": str(WISH), "amount": "7625", "code": code}
    return (await box.browser.post(f"/bill/{TOKEN}/code", data=form)).text


async def test_the_page_of_a_bill_asks_for_a_code_with_its_amount(paying: Box) -> None:
    page = (await paying.browser.get(f"/bill/{TOKEN}")).text
    assert f'action="/bill/{TOKEN}/code"' in page
    assert 'value="7625"' in page
    paying.till.told = [Silence.AWAY]
    assert "付款码" not in (await paying.browser.get(f"/bill/{TOKEN}")).text


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (ChargeState.PAID, "收据号"),
        (ChargeState.WAITING, "请在手机上确认付款"),
        (ChargeState.FAILED, "没有扣款"),
        (ChargeState.UNCLEAR, "人工核对"),
        (Silence.AWAY, "现在无法联网，没有扣款"),
        (Silence.UNKNOWN, "请勿重复付款"),
    ],
)
async def test_each_end_has_its_words_in_both_languages(paying: Box, told: ChargeState | Silence, words: str) -> None:
    page = await shown(paying, told)
    assert words in page
    assert '<span lang="en">' in page
    assert CODE not in page


@pytest.mark.parametrize(
    ("reason", "words"),
    [("no_merchant", "换一个"), ("amount_changed", "刚刚变动"), ("nothing_open", "已缴清"), ("else", "重新打开")],
)
async def test_a_refusal_says_why_and_that_nothing_was_taken(paying: Box, reason: str, words: str) -> None:
    paying.till.reason = reason
    page = await shown(paying, ChargeState.REFUSED)
    assert "没有扣款" in page
    assert words in page


async def test_a_receipt_of_a_code_names_the_receipt_and_the_wallet(paying: Box) -> None:
    await shown(paying, ChargeState.WAITING)
    path = f"/bill/{TOKEN}/wishes/{WISH}"
    assert "还没有缴清" in (await paying.browser.post(f"{path}/receipt")).text
    assert (await paying.browser.get(f"{path}/state")).json() == {"state": "waiting"}
    paying.till.told = [Silence.AWAY]
    assert (await paying.browser.get(f"{path}/state")).json() == {"state": "away"}
    paying.till.told = [ChargeState.PAID]
    assert (await paying.browser.get(f"{path}/state")).json() == {"state": "paid"}
    assert "请取走凭条" in (await paying.browser.post(f"{path}/receipt")).text
    assert paying.till.recorded == [("B1", 7_625, "wechat")]
    assert "微信支付".encode("gb18030") in paying.till.printed[0]
    assert b"RC0001" in paying.till.printed[0]


async def test_another_bill_junk_and_haste_are_refused(paying: Box) -> None:
    assert (await paying.browser.get(f"/bill/{'x' * 24}/wishes/{WISH}")).status_code == 404
    assert (await paying.browser.get(f"/bill/{TOKEN}/wishes/nonsense")).status_code == 409
    assert (await paying.browser.post(f"/bill/{'x' * 24}/code", data={"code": CODE})).status_code == 404
    pages = [await shown(paying, ChargeState.PAID, code="69012345") for _ in range(3)]
    assert "操作太频繁" in pages[-1]
    assert paying.till.charged == []
