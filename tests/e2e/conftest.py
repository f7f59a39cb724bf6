"""The month of a real house, told once for all tests that look at it; in them the cloud is dead."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.january import January, told


@pytest.fixture(scope="session")
def january(tmp_path_factory: pytest.TempPathFactory) -> Iterator[January]:
    with told(tmp_path_factory.mktemp("january")) as month:
        yield month
