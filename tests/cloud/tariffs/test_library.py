"""The library as the cloud offers it: every tariff by its name, and nothing else of the disk."""

from __future__ import annotations

import pytest

from cloud.kit.errors import NotFoundError
from cloud.tariffs.library import library, library_text
from cloud.tariffs.trial import read_tariff
from tests.common.tariff.library import tariff_files


def test_every_tariff_of_the_library_is_offered_and_reads() -> None:
    assert len(library()) == len(tariff_files())
    for name in library():
        assert read_tariff(library_text(name), name).code == name.partition("@")[0]


@pytest.mark.parametrize("name", ["", "calendar/cn-2026", "../profiles/x", "/etc/passwd", "electricity/nowhere"])
def test_nothing_else_is_read(name: str) -> None:
    with pytest.raises(NotFoundError):
        library_text(name)
