"""The platform's signature and what stands on the wire, against openssl and against what the documents say."""

from __future__ import annotations

import json
import subprocess
from decimal import Decimal

import httpx
import pytest

from cloud.invoices.providers.nuonuo import Nuonuo, NuonuoAccount, NuonuoUrls, signature
from cloud.invoices.providers.values import AskOutcome
from cloud.kit.calls import Later, Unknown
from tests.contract.invoice_benches import COMPANY, START, line, open_invoice_bench
from tests.simulation.invoices.book import Trouble

ACCOUNT = NuonuoAccount(app_key="key", secret="s3cret", tax_number="91350100M000100Y43", seller="东方", drawer="王")  # noqa: S106


def test_openssl_makes_the_same_signature() -> None:
    body = '{"order":{"buyerName":"李"}}'
    said = f"a=services&l=v1&p=open&k=key&i=AB&n=12345678&t=1772683200&f={body}"
    command = ["openssl", "dgst", "-sha1", "-hmac", "s3cret", "-binary"]
    raw = subprocess.run(command, input=said.encode(), capture_output=True, check=True).stdout  # noqa: S603
    wanted = subprocess.run(["openssl", "base64"], input=raw, capture_output=True, check=True).stdout.decode().strip()  # noqa: S607
    assert signature(ACCOUNT, "AB", "12345678", 1_772_683_200, body) == wanted


async def test_an_order_says_whom_it_is_for_its_codes_and_amounts_that_sum() -> None:
    async with open_invoice_bench("nuonuo") as bench:
        await bench.issuer.issue(bench.order(title=COMPANY, lines=(line(1, 10_600, 10_000),)))
        order = json.loads(bench.platform.bodies[0])["order"]
    assert order["buyerTaxNum"] == COMPANY.tax_number
    assert (order["naturalPersonFlag"], order["invoiceLine"], order["pushMode"]) == ("0", "pc", "-1")
    (detail,) = order["invoiceDetail"]
    assert detail["goodsCode"] == "3040801000000000000"
    assert (detail["taxRate"], detail["tax"], detail["taxIncludedAmount"]) == ("0.06", "6.00", "106.00")
    assert Decimal(detail["taxExcludedAmount"]) + Decimal(detail["tax"]) == Decimal(detail["taxIncludedAmount"])


async def test_a_red_letter_of_a_part_has_amounts_below_zero_and_of_the_whole_no_lines() -> None:
    async with open_invoice_bench("nuonuo") as bench:
        blue = await bench.issued()
        await bench.issuer.take_back(bench.red(blue, lines=(line(1, 5_300, 5_000),), whole=False))
        part = json.loads(bench.platform.bodies[-1])
        await bench.issuer.take_back(bench.red(blue, "H2"))
        whole = json.loads(bench.platform.bodies[-1])
    assert part["detail"][0] | {"goodsName": ""} == {
        "blueDetailIndex": "1",
        "goodsName": "",
        "goodsCode": "3040801000000000000",
        "taxRate": "0.06",
        "taxExcludedAmount": "-50.00",
        "taxAmount": "-3.00",
    }
    assert whole["detail"] == []
    assert whole["redReason"] == "1"


async def test_one_token_serves_many_calls_and_is_renewed_when_the_platform_forgot_it() -> None:
    async with open_invoice_bench("nuonuo") as bench:
        await bench.issued()
        assert len(bench.platform.tokens) == 1
        bench.platform.tokens.clear()
        assert isinstance(await bench.issuer.issue(bench.order("F2026030500000000002")), Later)
        assert (await bench.issued("F2026030500000000002")).number
        assert len(bench.platform.tokens) == 1


async def test_a_double_of_an_order_stands_once_in_the_platforms_book() -> None:
    async with open_invoice_bench("nuonuo") as bench:
        bench.book.troubles.append(Trouble.DOUBLED)
        assert isinstance(await bench.issuer.issue(bench.order()), Unknown)
        assert len(bench.book.papers) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"not json"),
        (200, b"[]"),
        (200, b'{"code": "E0000", "result": [7]}'),
        (200, b'{"code": "E0000", "result": [{"status": "2"}]}'),
        (200, b'{"code": "E0000", "result": [{"status": "2", "exTaxAmount": "1.001", "taxAmount": "0"}]}'),
        (200, b'{"code": "E0000", "result": [{"status": "2", "exTaxAmount": "NaN", "taxAmount": "0"}]}'),
        (200, b'{"code": 7}'),
        (302, b""),
        (429, b""),
        (200, b" " * (256 * 1024 + 1)),
    ],
)
async def test_an_answer_that_cannot_be_read_tells_nothing(status: int, body: bytes) -> None:
    assert isinstance(await asked(status, body), Unknown)


async def test_a_platform_that_cannot_be_reached_was_surely_told_nothing() -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        urls = NuonuoUrls(services="http://127.0.0.1:9/open/v1/services", token="http://127.0.0.1:9/accessToken")  # noqa: S106
        client = Nuonuo(http, urls, ACCOUNT, lambda: int(START.timestamp()), lambda: "AB")
        async with open_invoice_bench("nuonuo") as bench:
            assert isinstance(await client.issue(bench.order()), Later)


async def asked(status: int, body: bytes) -> AskOutcome:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/accessToken":
            return httpx.Response(200, json={"access_token": "t", "expires_in": "86400"})
        return httpx.Response(status, content=body)

    urls = NuonuoUrls(services="http://tax.test/open/v1/services", token="http://tax.test/accessToken")  # noqa: S106
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        return await Nuonuo(http, urls, ACCOUNT, lambda: int(START.timestamp()), lambda: "AB").ask("F1")
