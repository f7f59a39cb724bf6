"""The public pages tell genuine from false and current from void, in words, and show no person."""

from __future__ import annotations

import re

from cloud.documents import service
from cloud.documents.kinds import PaperKind
from tests.cloud.web.browsing import reading
from tests.cloud.web.front import Front, words_of

_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


async def sealed_bill(front: Front) -> tuple[str, bytes]:
    """Bill, issue and seal the first flat's bill; return its code and its file."""
    await front.bill_some_of_everything()
    (bill,) = await front.bills()
    counter = front.counter
    paper = await service.issue(front.press, counter.tenant, counter.office.site.actor, PaperKind.BILL, bill.bill_id)
    await counter.work()
    return paper.token, (await service.file_of(front.press, counter.tenant, paper.paper_id)).content


async def checked(front: Front, pdf: bytes) -> str:
    """Upload a file as a stranger and return what the page says."""
    async with reading(front.app) as stranger:
        token = _CSRF.search((await stranger.get("/v")).text)
        assert token
        answer = await stranger.post("/v", data={"csrf": token[1]}, files={"file": ("a.pdf", pdf, "application/pdf")})
    return words_of(answer)


async def test_the_code_on_a_paper_leads_to_number_amount_and_standing_without_a_person(front: Front) -> None:
    token, _ = await sealed_bill(front)
    async with reading(front.app) as stranger:
        page = await stranger.get(f"/v/{token}")
        pem = await stranger.get(f"/verify/{token}/certificates.pem")
    words = words_of(page)
    assert "¥332.00" in words
    assert "现行有效 it holds as printed" in words
    assert "owner" not in words
    assert "1-1-001" not in words
    assert pem.text.startswith("-----BEGIN CERTIFICATE-----")


async def test_an_uploaded_file_is_genuine_and_one_with_a_changed_byte_is_not(front: Front) -> None:
    _, pdf = await sealed_bill(front)
    assert "the seal is true and the file is as it was sealed" in await checked(front, pdf)
    place = pdf.index(b"stream") + 40
    words = await checked(front, pdf[:place] + bytes([pdf[place] ^ 1]) + pdf[place + 1 :])
    assert "the file was tampered with" in words


async def test_a_file_that_is_no_pdf_is_told_as_that(front: Front) -> None:
    assert "not a whole PDF file" in await checked(front, b"hello")


async def test_an_unknown_code_is_a_page_that_says_so(front: Front) -> None:
    async with reading(front.app) as stranger:
        assert (await stranger.get("/v/" + "x" * 24)).status_code == 404


async def test_an_upload_from_another_site_is_refused(front: Front) -> None:
    async with reading(front.app) as stranger:
        answer = await stranger.post("/v", files={"file": ("a.pdf", b"x", "application/pdf")})
    assert answer.status_code == 403


async def test_a_program_asks_the_same_over_the_api(front: Front) -> None:
    token, pdf = await sealed_bill(front)
    async with reading(front.app) as program:
        told = (await program.post("/verify", content=pdf)).json()
        standing = (await program.get(f"/verify/{token}")).json()
    assert told["check"] == "genuine"
    assert told["paper"] == standing
    assert standing["holds"] == "current"
    assert set(standing) == {"kind", "number", "issuer", "issued_at", "total", "sealed_sha", "holds", "by"}
