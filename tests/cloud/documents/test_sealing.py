"""A paper gets one seal by its issuer's key, which rests encrypted and is made once."""

from __future__ import annotations

from cloud.documents import repository
from cloud.documents.kinds import Check, PaperKind
from cloud.documents.seal_keys import PURPOSE
from cloud.documents.service import SEAL
from cloud.documents.verifying import examine
from cloud.kit.jobs import NewJob
from cloud.kit.secretbox import SecretBox
from tests.cloud.documents.conftest import Stationer


async def test_the_worker_seals_a_paper_with_the_key_of_who_issues_it(stationer: Stationer) -> None:
    paper = await stationer.issue(PaperKind.BILL, await stationer.bill())
    sealed = await stationer.sealed(paper)
    async with stationer.press.database.view(stationer.tenant) as session:
        key = await repository.key_in_use(session, paper.legal_entity_id)
    assert key is not None
    found = examine(sealed, [key.certificate])
    assert (found.check, found.token, found.sealed_by) == (Check.GENUINE, paper.token, "花园物业有限公司")


async def test_sealing_again_keeps_the_first_seal(stationer: Stationer) -> None:
    paper = await stationer.issue(PaperKind.BILL, await stationer.bill())
    first = await stationer.sealed(paper)
    async with stationer.press.database.unit(stationer.tenant, stationer.actor) as unit:
        unit.enqueue(NewJob(kind=SEAL, key="again", payload={"paper_id": str(paper.paper_id)}))
        unit.record("asked for", "paper", paper.paper_id)
    assert await stationer.sealed(paper) == first


async def test_two_papers_of_one_issuer_share_the_key_which_rests_encrypted(stationer: Stationer) -> None:
    first = await stationer.issue(PaperKind.BILL, await stationer.bill())
    await stationer.counter.settle(await stationer.counter.start())
    (payment,) = await stationer.counter.payments()
    second = await stationer.issue(PaperKind.RECEIPT, payment.payment_id)
    await stationer.sealed(first)
    await stationer.sealed(second)
    async with stationer.press.database.view(stationer.tenant) as session:
        (key,) = await repository.keys(session)
    private = SecretBox(bytes(range(32))).open(stationer.tenant, PURPOSE, key.private_key_sealed)
    assert private not in key.private_key_sealed
