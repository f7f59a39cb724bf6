"""The jobs of papers are those that the service asks for."""

from __future__ import annotations

from cloud.documents import service, tasks
from cloud.kit.secretbox import SecretBox
from tests.cloud.documents.conftest import Stationer


def test_sealing_is_the_one_job_of_papers(stationer: Stationer) -> None:
    assert set(tasks.handlers(stationer.press, SecretBox(bytes(32)))) == {service.SEAL}
