"""A seal key is exchanged: old papers stay verifiable, new ones carry the new seal; a key out of time seals none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from prometheus_client import CollectorRegistry

from cloud.cases import service as cases
from cloud.documents import checking, repository, seal_keys, tasks
from cloud.documents.errors import ForeignKeyError, KeeperError, SealKeyError, TokenError
from cloud.documents.kinds import Check, PaperKind
from cloud.documents.seal_keys import EXPIRING, KeptKey, KeyView
from cloud.documents.seal_token import SealToken
from cloud.documents.signer import KeyKeeper
from cloud.documents.values import Paper
from cloud.kit.errors import NotFoundError
from cloud.kit.jobs import NewJob
from cloud.kit.runner import JobMetrics, Runner
from cloud.kit.secretbox import SecretBox
from common.ids import LegalEntityId
from tests.cloud.documents import tokens
from tests.cloud.documents.conftest import Stationer
from tests.cloud.documents.tokens import Drawer
from tests.support.randomness import seeded_bytes

BOX = SecretBox(bytes(range(32)))
KEY = tokens.KEYS["curve"]
CHALLENGE = bytes(32)


@pytest.fixture
def token(drawer: Drawer) -> Iterator[SealToken]:
    del drawer
    with tokens.opened() as found:
        yield found


async def exchange(stationer: Stationer, entity: LegalEntityId) -> KeyView:
    async with stationer.press.database.unit(stationer.tenant, stationer.actor) as unit:
        return await seal_keys.exchange(unit, BOX, entity, seeded_bytes(5))


async def adopt(stationer: Stationer, keeper: KeyKeeper | None, certificate: bytes, label: str = "curve") -> KeyView:
    key = KeptKey(label=label, certificate=certificate)
    async with stationer.press.database.unit(stationer.tenant, stationer.actor) as unit:
        return await seal_keys.adopt(unit, keeper, stationer.counter.entity, key, CHALLENGE)


async def two_papers(stationer: Stationer) -> tuple[Paper, Paper]:
    bill = await stationer.issue(PaperKind.BILL, await stationer.bill())
    await stationer.counter.settle(await stationer.counter.start())
    (payment,) = await stationer.counter.payments()
    return bill, await stationer.issue(PaperKind.RECEIPT, payment.payment_id)


async def all_keys(stationer: Stationer) -> tuple[KeyView, ...]:
    async with stationer.press.database.view(stationer.tenant) as session:
        return await seal_keys.keys(session)


async def warned(stationer: Stationer) -> list[str]:
    async with stationer.press.database.unit(stationer.tenant, stationer.actor) as unit:
        unit.enqueue(NewJob(kind=tasks.WARN, key=f"warn {unit.now}"))
        unit.record("asked for", "seal_key", stationer.counter.entity)
    await stationer.sealer.drain()
    async with stationer.press.database.view(stationer.tenant) as session:
        found = await cases.open_about(session, [key.seal_key_id for key in await seal_keys.keys(session)])
    return [case.reason for case in found]


async def test_after_an_exchange_old_papers_stay_genuine_and_new_ones_carry_the_new_seal(stationer: Stationer) -> None:
    bill, receipt = await two_papers(stationer)
    old = await stationer.sealed(bill)
    (first,) = await all_keys(stationer)
    stationer.counter.office.clock.advance(seconds=1)
    second = await exchange(stationer, receipt.legal_entity_id)
    async with stationer.press.database.unit(stationer.tenant, stationer.actor) as unit:
        unit.enqueue(NewJob(kind="documents.seal", key="after", payload={"paper_id": str(receipt.paper_id)}))
        unit.record("asked for", "paper", receipt.paper_id)
    new = await stationer.sealed(receipt)
    for file in (old, new):
        assert (await checking.of_file(stationer.press.database, file)).check is Check.GENUINE
    told = await checking.certificates(stationer.press.database, bill.token)
    assert told.count("BEGIN CERTIFICATE") == 2
    assert first.certificate != second.certificate
    assert [key.retired_at is None for key in await all_keys(stationer)] == [False, True]


async def test_a_key_in_a_token_seals_the_papers_after_it_was_taken_over(
    stationer: Stationer, token: SealToken
) -> None:
    bill = await stationer.issue(PaperKind.BILL, await stationer.bill())
    now = stationer.press.database.clock.now()
    adopted = await adopt(stationer, token, tokens.certificate(KEY, now))
    sealer = Runner(
        database=stationer.counter.office.site.worker_database,
        handlers=tasks.handlers(stationer.press, BOX, token),
        metrics=JobMetrics(CollectorRegistry()),
        name="sealer with a token",
    )
    await sealer.drain()
    file = await stationer.file(bill)
    assert file.sealed
    assert (await checking.of_file(stationer.press.database, file.content)).check is Check.GENUINE
    async with stationer.press.database.view(stationer.tenant) as session:
        row = await repository.key_in_use(session, stationer.counter.entity)
    assert row is not None
    assert (row.seal_key_id, row.private_key_sealed, row.token_label) == (adopted.seal_key_id, b"", "curve")


async def test_a_process_without_the_token_seals_nothing_and_tries_again(
    stationer: Stationer, token: SealToken
) -> None:
    bill = await stationer.issue(PaperKind.BILL, await stationer.bill())
    await adopt(stationer, token, tokens.certificate(KEY, stationer.press.database.clock.now()))
    await stationer.sealer.drain()
    assert not (await stationer.file(bill)).sealed


async def test_what_a_token_cannot_prove_changes_nothing(stationer: Stationer, token: SealToken) -> None:
    now = stationer.press.database.clock.now()
    stranger = tokens.certificate(ec.generate_private_key(ec.SECP256R1()), now)
    with pytest.raises(ForeignKeyError):
        await adopt(stationer, token, stranger)
    with pytest.raises(TokenError, match="no key another"):
        await adopt(stationer, token, tokens.certificate(KEY, now), "another")
    with pytest.raises(KeeperError, match="no seal token and no seal service is set up"):
        await adopt(stationer, None, tokens.certificate(KEY, now))
    with pytest.raises(SealKeyError, match="has a label"):
        await adopt(stationer, token, tokens.certificate(KEY, now), " ")
    with pytest.raises(SealKeyError, match="exchange the key"):
        await adopt(stationer, token, tokens.certificate(KEY, now - timedelta(days=500)))
    assert await all_keys(stationer) == ()


async def test_a_legal_person_that_is_not_there_gets_no_key(stationer: Stationer) -> None:
    with pytest.raises(NotFoundError):
        await exchange(stationer, LegalEntityId(UUID(int=9)))


async def test_a_key_that_ends_soon_is_warned_of_until_another_seals(stationer: Stationer, token: SealToken) -> None:
    now = stationer.press.database.clock.now()
    await adopt(stationer, token, tokens.certificate(KEY, now, days=61))
    assert await warned(stationer) == []
    stationer.counter.office.clock.advance(days=2)
    assert await warned(stationer) == [EXPIRING]
    await exchange(stationer, stationer.counter.entity)
    assert await warned(stationer) == []


async def test_a_certificate_that_ended_seals_no_more(stationer: Stationer, token: SealToken) -> None:
    bill = await stationer.issue(PaperKind.BILL, await stationer.bill())
    await adopt(stationer, token, tokens.certificate(KEY, stationer.press.database.clock.now(), days=1))
    stationer.counter.office.clock.advance(days=2)
    await stationer.sealer.drain()
    assert not (await stationer.file(bill)).sealed
