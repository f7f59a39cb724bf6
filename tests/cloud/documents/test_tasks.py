"""The jobs of papers are those that the service and the schedule ask for."""

from __future__ import annotations

from cloud.documents import service, tasks
from cloud.kit.secretbox import SecretBox
from tests.cloud.documents.conftest import Stationer


def test_papers_are_sealed_and_seal_keys_looked_at(stationer: Stationer) -> None:
    found = set(tasks.handlers(stationer.press, SecretBox(bytes(32))))
    assert found == {service.SEAL, tasks.SCHEDULE.kind}
