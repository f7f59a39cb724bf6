"""From shares to rated items: each is the engine's, each replays, together they are the whole."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from cloud.charges.levying import levied
from cloud.charges.rules import one_off_document
from cloud.charges.values import HouseholdShare, Sharing
from cloud.estate.values import PayerSpan
from cloud.tariffs.charge import ChargeBasis
from common.errors import InvariantError
from common.ids import PremisesId, TariffId
from common.tariff.document import parse_tariff
from common.tariff.revision import RevisionRef
from tests.cloud.charges.test_values import LEVY
from tests.cloud.rating.town import flat, item, party

NEW = replace(LEVY, sharing=Sharing.BY_AREA, amount_fen=1_000)


def share(number: int, weight: int, fen: int) -> HouseholdShare:
    return HouseholdShare(premises_id=flat(number), label=str(number), weight_milli=weight, fen=fen)


def payer(number: int) -> tuple[PremisesId, PayerSpan]:
    span = PayerSpan(premises_id=flat(number), party_id=party(number), start=NEW.service.start, end=NEW.service.end)
    return flat(number), span


def price(sharing: Sharing) -> tuple[TariffId, RevisionRef, dict[str, object]]:
    document = one_off_document("one-off/1", "消杀", "disinfection", NEW.amount_fen, sharing)
    sha = parse_tariff(document).body_sha
    ref = RevisionRef(tariff_code="one-off/1", effective_from=NEW.service.start, rev=1, body_sha=sha)
    return TariffId(UUID(int=8)), ref, document


def test_every_share_becomes_an_item_that_names_its_weight_and_they_are_the_whole() -> None:
    shares = [share(1, 60_000, 600), share(2, 40_000, 400)]
    outcome = levied(item("levy", ChargeBasis.ONE_OFF), NEW, price(NEW.sharing), shares, dict([payer(1), payer(2)]))
    assert [one.line.amount_fen for one in outcome.items] == [600, 400]
    assert [one.party_id for one in outcome.items] == [party(1), party(2)]
    assert len(outcome.inputs) == 2
    assert outcome.items[0].line.components[0].labels["sharers"] == "2"


def test_a_share_that_the_engine_does_not_come_to_stops_the_charge() -> None:
    each = replace(NEW, sharing=Sharing.EACH)
    with pytest.raises(InvariantError, match="the engine charges"):
        levied(item("levy", ChargeBasis.ONE_OFF), each, price(Sharing.EACH), [share(1, 1, 999)], dict([payer(1)]))
