"""What the auditor may look at: the stores that the story left behind, opened for reading, and the rows it answers.

The auditor knows tables and files, and nothing of the code that wrote them. What several comparisons need is read
once for each `Look`; a comparison run again looks anew.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import namedtuple_row

FAULTS_SHOWN_MAX = 8
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CLOCK_CEILING = slice(32, 40)  # nanoseconds since 1970, little endian; where business time waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Where the story's stores are.

    `conninfo` is of a role that sees every row, `company_conninfo` of the role that the application works as.
    """

    conninfo: str
    company_conninfo: str
    folder: Path

    @property
    def gateways(self) -> tuple[str, ...]:
        """Return the codes of the gateways, by the series recorded for them."""
        files = sorted(self.folder.glob("recorded-*.csv"))
        return tuple(path.stem.removeprefix("recorded-") for path in files)

    def gateway_store(self, gateway: str) -> Path:
        """Return the store of a gateway."""
        return self.folder / gateway / "store.db"

    def certificate(self, gateway: str) -> Path:
        """Return the certificate that a gateway was given when it enrolled."""
        return self.folder / gateway / "keys" / "certificate.cose"

    def recorded(self, gateway: str) -> Path:
        """Return the recorded series of a gateway."""
        return self.folder / f"recorded-{gateway}.csv"

    @property
    def exchanges(self) -> tuple[Path, ...]:
        """Return the logs in which the devices wrote down what they answered, one a wire."""
        found = sorted((self.folder / "devices").glob("exchanges-*.jsonl"))
        return tuple(path for path in found if path.stem != "exchanges-gate")

    @property
    def gate_log(self) -> Path:
        """Return the log of cameras and barriers."""
        return self.folder / "devices" / "exchanges-gate.jsonl"

    @property
    def channel_book(self) -> Path:
        """Return the book that the payment channel keeps of its own."""
        return self.folder / "wechat" / "book.sqlite"

    @property
    def story(self) -> Path:
        """Return what the story saw."""
        return self.folder / "story.json"

    @property
    def clock(self) -> Path:
        """Return the clock file of the story, which is held at its last instant."""
        return self.folder / "clock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The two figures of a comparison and what was found wrong in detail."""

    left: int
    right: int
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One comparison as it came out."""

    key: str
    promise: int | None
    name_zh: str
    name_en: str
    compared_zh: str
    compared_en: str
    left: int
    right: int
    faults: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Return whether both figures agree, there was something to compare, and nothing was found wrong."""
        return self.left == self.right and self.left > 0 and not self.faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One row of the report before it is filled: its words and how its figures are found."""

    key: str
    promise: int | None
    name_zh: str
    name_en: str
    compared_zh: str
    compared_en: str
    figures: Callable[[Look], Figures]

    def row(self, look: Look) -> Row:
        """Return the comparison as it comes out now."""
        found = self.figures(look)
        return Row(
            key=self.key,
            promise=self.promise,
            name_zh=self.name_zh,
            name_en=self.name_en,
            compared_zh=self.compared_zh,
            compared_en=self.compared_en,
            left=found.left,
            right=found.right,
            faults=found.faults[:FAULTS_SHOWN_MAX],
        )


class Look:
    """The stores opened for reading; `kept` holds what was read once."""

    def __init__(self, stores: Stores, connection: psycopg.Connection[Any]) -> None:
        self.stores = stores
        self._connection = connection
        self._kept: dict[str, Any] = {}

    def rows(self, query: LiteralString, *values: object) -> list[Any]:
        """Return the rows of a query over all companies, with their columns as names."""
        with self._connection.cursor(row_factory=namedtuple_row) as cursor:
            return cursor.execute(query, values).fetchall()

    def rows_by_company(self, table: str) -> list[Any]:
        """Return how many rows of a table belong to each company."""
        query = sql.SQL("select tenant_id, count(*)::bigint as count from {} group by tenant_id")
        with self._connection.cursor(row_factory=namedtuple_row) as cursor:
            return cursor.execute(query.format(sql.Identifier("public", table))).fetchall()

    def once(self, read: Callable[[Look], Any]) -> Any:
        """Return what a function reads from the stores, reading it the first time only."""
        name = f"{read.__module__}.{read.__name__}"
        if name not in self._kept:
            self._kept[name] = read(self)
        return self._kept[name]

    @property
    def story(self) -> dict[str, Any]:
        """Return what the story saw."""
        told: dict[str, Any] = json.loads(self.stores.story.read_text(encoding="utf-8"))
        return told

    @property
    def now(self) -> datetime:
        """Return the business instant at which the story is held."""
        ceiling_ns = int.from_bytes(self.stores.clock.read_bytes()[_CLOCK_CEILING], "little")
        return _EPOCH + timedelta(microseconds=ceiling_ns // 1000)


@contextmanager
def looking(stores: Stores) -> Iterator[Look]:
    """Open the stores for reading while the block runs."""
    with psycopg.connect(stores.conninfo, autocommit=True) as connection:
        connection.execute("set default_transaction_read_only = on")
        yield Look(stores, connection)


def sqlite_rows(path: Path, query: str, *values: object) -> list[Any]:
    """Return the rows of a query over a SQLite file, opened read-only."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(query, values).fetchall()


def json_lines(path: Path) -> list[dict[str, Any]]:
    """Return the entries of a log of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def instant_of_ms(at_ms: int) -> datetime:
    """Return the instant of a count of milliseconds since 1970."""
    return _EPOCH + timedelta(milliseconds=at_ms)
