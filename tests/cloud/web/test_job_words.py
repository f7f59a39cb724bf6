"""Every kind of job that the house does has its words, and no words are left of a kind that it no longer does."""

from __future__ import annotations

from cloud.web.job_words import JOB_KINDS
from tests.cloud.web.front import Front


async def test_every_kind_of_work_that_the_house_does_has_words(front: Front) -> None:
    assert front.counter.runner.handlers.keys() == JOB_KINDS.keys()
