"""A picture of a whole database in which ids of the moment do not count: two books that say the same look the same.

Ids that were made after the start are replaced by what is said about them: each round gives an id a label made of all
rows that name it, with the labels of the round before. Digests of ids are blanked. The record of deeds and the queue
tell how something came about, not what stands; they are left out.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict

import psycopg

_LEFT_OUT = frozenset({"audit", "job", "job_archive", "schedule_fire"})
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_DIGEST = re.compile(r"(?:\\\\x)?[0-9a-f]{32,}")
_TABLES = """
    select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'public' and c.relkind = 'r' order by 1
"""
_ROUNDS = 3
Picture = Counter[str]


def rows_of(conninfo: str) -> list[str]:
    """Return every row of every table as `table {json}`."""
    found: list[str] = []
    with psycopg.connect(conninfo) as connection:
        for (table,) in connection.execute(_TABLES).fetchall():
            if table not in _LEFT_OUT:
                rows = connection.execute(f'select to_jsonb(t)::text from "{table}" t'.encode()).fetchall()  # noqa: S608 - our tables
                found += [f"{table} {row}" for (row,) in rows]
    return found


def known_ids(rows: list[str]) -> set[str]:
    """Return every id that rows name."""
    return {one for row in rows for one in _ID.findall(row)}


def picture(rows: list[str], known: set[str]) -> Picture:
    """Return the rows with every id that was not known before replaced by what is said about it."""
    told = [_DIGEST.sub("#", row) for row in rows]
    labels: dict[str, str] = {}
    places: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(told):
        for one in set(_ID.findall(row)) - known:
            places[one].append(place)
    for _ in range(_ROUNDS):
        labels = {one: _label(one, [told[place] for place in own], known, labels) for one, own in places.items()}
    return Counter(_ID.sub(lambda match: _shown(match[0], known, labels), row) for row in told)


def _shown(one: str, known: set[str], labels: dict[str, str]) -> str:
    return one if one in known else labels.get(one, "new")


def _label(one: str, rows: list[str], known: set[str], labels: dict[str, str]) -> str:
    said = sorted(
        _ID.sub(lambda match: "me" if match[0] == one else _shown(match[0], known, labels), row) for row in rows
    )
    return f"~{hashlib.sha256(chr(10).join(said).encode()).hexdigest()[:16]}"
