"""Logs hold no personal data."""

from __future__ import annotations

from cloud.kit.logs import PERSONAL_FIELDS, mask_personal


def test_fields_of_personal_data_are_masked_and_others_kept() -> None:
    event = {"event": "gate_opened", "plate": "沪A12345", "phone": "13800000000", "lot": "north"}
    assert mask_personal(None, "info", event) == {
        "event": "gate_opened",
        "plate": "***",
        "phone": "***",
        "lot": "north",
    }


def test_secrets_count_as_personal() -> None:
    assert {"password", "token", "code", "secret"} <= PERSONAL_FIELDS
