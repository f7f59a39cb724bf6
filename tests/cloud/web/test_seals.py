"""A manager of the whole company sees which key seals until when, and exchanges one; nobody else enters."""

from __future__ import annotations

from cloud.documents.signer import pem_of
from cloud.identity.policy import RoleName
from tests.cloud.documents import examples
from tests.cloud.web.browsing import send
from tests.cloud.web.front import Front, words_of


async def test_a_manager_exchanges_a_key_and_sees_both_with_their_ends(front: Front) -> None:
    wish = {"legal_entity_id": str(front.counter.entity)}
    async with front.person(RoleName.MANAGER) as browser:
        assert "还没有印章密钥" in words_of(await browser.get("/seals"))
        for _ in range(2):
            done = await send(browser, "/seals", "/seals/exchange", wish)
            assert done.headers["location"] == "/seals?done=seal-exchanged"
        page = (await browser.get("/seals?done=seal-exchanged")).text
    assert (page.count('data-active="true"'), page.count('data-active="false"')) == (1, 1)
    assert page.index('data-active="true"') < page.index('data-active="false"')
    assert "印章密钥已更换" in page


async def test_half_a_wish_and_a_key_that_nobody_keeps_are_refused(front: Front) -> None:
    entity = {"legal_entity_id": str(front.counter.entity)}
    pem = pem_of(examples.key().certificate)
    async with front.person(RoleName.MANAGER) as browser:
        half = await send(browser, "/seals", "/seals/exchange", {**entity, "label": "company"})
        assert half.status_code == 409
        both = {**entity, "label": "company", "certificate_pem": pem}
        nobody = await send(browser, "/seals", "/seals/exchange", both)
        assert nobody.status_code == 409
        assert "settings.yaml" in nobody.text
        junk = await send(browser, "/seals", "/seals/exchange", {**both, "certificate_pem": "junk"})
        assert junk.status_code == 400
        assert "还没有印章密钥" in words_of(await browser.get("/seals"))


async def test_a_cashier_does_not_enter(front: Front) -> None:
    async with front.person(RoleName.CASHIER) as browser:
        assert (await browser.get("/seals")).status_code == 403
        assert "/seals" not in (await browser.get("/desk")).text
