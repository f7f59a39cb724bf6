"""A document as a whole: what it leaves out, its hash, and a refusal that names it where it has a name."""

from __future__ import annotations

import pytest

from common.errors import FaultsError
from common.tariff.canonical import canonical_sha
from common.tariff.document import parse_tariff
from common.tariff.model import Proration
from tests.common.tariff.builders import body

CHARGES = [{"key": "e", "price": "1"}]


def refused(source: object) -> FaultsError:
    with pytest.raises(FaultsError) as refusal:
        parse_tariff(source)  # type: ignore[arg-type]
    return refusal.value


def test_a_document_that_says_no_more_takes_the_first_plan_and_counts_days() -> None:
    document = parse_tariff(body(charges=CHARGES))
    assert document.cheapest is False
    assert document.proration is Proration.ACTUAL_DAYS
    assert (document.free_allowance, document.whole_units, document.share) == (None, None, None)


def test_a_document_keeps_what_was_written_and_is_named_by_its_hash() -> None:
    source = body(charges=CHARGES)
    document = parse_tariff(source)
    assert document.body == source
    assert document.body_sha == canonical_sha(source)


def test_a_refusal_names_the_tariff_where_it_has_a_code() -> None:
    assert refused(body()).subject == "tariff test/tariff"
    assert refused({"charges": CHARGES}).subject == "tariff"
    assert refused("{").subject == "tariff"


def test_a_value_that_no_reader_looks_at_and_json_cannot_say_is_a_fault_of_the_document() -> None:
    odd = body(late_charge={"rate_per_day": "0.001", "excluded": [0.5]})
    (fault,) = refused(odd).faults
    assert (fault.where, fault.remedy) == ("document", "write the value as text")
