"""What must not stand in a log is masked by its name and by its shape, and everything else is left as it is."""

from __future__ import annotations

import pytest

from common.masking import MASKED, PERSONAL_FIELDS, mask_event, mask_text


@pytest.mark.parametrize("field", sorted(PERSONAL_FIELDS))
def test_a_field_of_personal_data_is_masked_whatever_it_holds(field: str) -> None:
    assert mask_event(None, "info", {"event": "signed in", field: 4711}) == {"event": "signed in", field: MASKED}


def test_a_field_inside_another_is_masked_too() -> None:
    event = {"party": {"phone": "13800000000", "kind": "person"}, "tried": [{"pin": "2468"}, {"wire": "g1-bus"}]}
    assert mask_event(None, "info", event) == {
        "party": {"phone": MASKED, "kind": "person"},
        "tried": [{"pin": MASKED}, {"wire": "g1-bus"}],
    }


@pytest.mark.parametrize(
    "personal",
    ["13812341234", "+86 13812341234", "11010519491231002X", "沪A12345", "粤B·D12345", "京A1234学"],
)
def test_personal_data_in_the_midst_of_a_text_is_masked(personal: str) -> None:
    text = f"ValueError: nothing is known of {personal}, ask again"
    assert mask_text(text) == f"ValueError: nothing is known of {MASKED}, ask again"


@pytest.mark.parametrize(
    "harmless",
    [
        "2026-11-23T11:20:00.123456Z",
        "1790000000000",
        "slot 17640000000000 of 019b7290-0600-7b57-9a31-379bbad71b8b",
        "sha 9f13800138000aa13800138000bb",
        "E13812341 answered 0.250 kWh",
        "滨江网关 g2",
    ],
)
def test_instants_ids_hashes_and_serials_are_left_alone(harmless: str) -> None:
    assert mask_text(harmless) == harmless


def test_values_that_are_no_text_are_left_alone() -> None:
    event = {"event": "sealed", "sequence": 13_812_341_234, "late": False, "figures": (1, 2)}
    assert mask_event(None, "info", dict(event)) == event | {"figures": [1, 2]}
