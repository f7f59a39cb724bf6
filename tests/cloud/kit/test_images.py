"""Rows in binary form: the bytes are those that psycopg writes row by row, and arrays come back as columns."""

from __future__ import annotations

import struct
from datetime import UTC, date, datetime
from uuid import UUID

import numpy as np
import pytest

from cloud.kit import images
from common.errors import InvariantError

FIRST, SECOND = UUID(int=1 << 120), UUID(int=0x0102030405060708090A0B0C0D0E0F00)


def test_a_row_is_its_count_of_columns_then_each_with_its_length() -> None:
    made = images.image([images.text("ab"), images.int8(7), None], 1)
    assert made.tobytes() == struct.pack(">hi2siqi", 3, 2, b"ab", 8, 7, -1)


def test_constants_stand_in_every_row_and_columns_in_their_own() -> None:
    made = images.image([images.text("x"), images.int8(np.array([1, 2]))], 2)
    assert [row.tobytes()[-8:] for row in made] == [struct.pack(">q", 1), struct.pack(">q", 2)]
    assert all(row.tobytes()[6:7] == b"x" for row in made)


def test_images_abreast_are_the_single_images_joined_row_by_row() -> None:
    figures = [images.int8(np.array([1, 2])), None, images.text("x")]
    texts = [images.text("y"), images.digits(np.array([3, 4]), 2)]
    made = images.images_abreast([figures, texts], 2)
    assert made.tolist() == np.hstack([images.image(figures, 2), images.image(texts, 2)]).tolist()


def test_days_and_instants_count_from_the_year_2000() -> None:
    assert images.day(date(2000, 1, 2)).tobytes() == struct.pack(">i", 1)
    assert images.day_of(images.day_number(date(2026, 3, 1))) == date(2026, 3, 1)
    assert images.instant(datetime(2000, 1, 1, 0, 0, 1, tzinfo=UTC)).tobytes() == struct.pack(">q", 1_000_000)


def test_ids_keep_their_zeros_at_the_end_and_have_their_usual_text() -> None:
    column = images.ids_of([FIRST, SECOND])
    assert [images.id_at(column, n) for n in (0, 1)] == [FIRST, SECOND]
    assert images.text_list(images.uuid_texts(column)) == [str(FIRST), str(SECOND)]
    assert images.array_of(images.id_array(column), images.ID).tolist() == column.tolist()
    assert images.ids_from(images.uuids(column)).tolist() == column.tolist()
    assert images.id_array(images.ids_of([])) == bytes.fromhex("000000000000000000000b86")


def test_a_column_of_ids_is_listed_as_ids() -> None:
    assert images.id_list(images.ids_of([FIRST, SECOND])) == [FIRST, SECOND]
    assert images.id_list(images.ids_of([])) == []


def test_pairs_tell_the_same_ids_in_another_order_apart() -> None:
    left, right = images.ids_of([FIRST]), images.ids_of([SECOND])
    assert images.pairs_of(left, right).tolist() != images.pairs_of(right, left).tolist()


def test_digits_are_padded_and_never_cut() -> None:
    assert images.text_list(images.digits(np.array([7, 1234]), 6)) == ["000007", "001234"]
    with pytest.raises(InvariantError, match="digits"):
        images.digits(np.array([1_000_000]), 6)


def test_texts_are_joined_row_by_row() -> None:
    made = images.joined([images.text("B-"), images.digits(np.array([1, 2]), 1)], 2)
    assert images.bytes_list(made) == [b"B-1", b"B-2"]


def array(*elements: bytes | None, dimensions: int = 1) -> bytes:
    body = b"".join(struct.pack(">i", -1 if e is None else len(e)) + (e or b"") for e in elements)
    return struct.pack(">iiiii", dimensions, 0, 20, len(elements), 1) + body


def test_an_array_of_the_database_is_a_column_in_our_order_of_bytes() -> None:
    found = images.array_of(array(struct.pack(">q", 5), struct.pack(">q", -1)), ">i8")
    assert found.tolist() == [5, -1]
    assert found.dtype.isnative
    assert images.array_of(None, ">i8").tolist() == []


@pytest.mark.parametrize(
    "given",
    [
        array(struct.pack(">q", 5), None),
        array(struct.pack(">i", 5)),
        array(struct.pack(">q", 5), dimensions=2),
        array(struct.pack(">q", 5))[:-1],
    ],
)
def test_an_array_with_a_null_or_of_another_width_is_refused(given: bytes) -> None:
    with pytest.raises(InvariantError, match="array"):
        images.array_of(given, ">i8")
