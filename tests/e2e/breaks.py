"""The ways in which a copy of the story's stores is broken, one thing at a time, with the row that must notice.

Each break is done past every guard: as the superuser with triggers off, or in the files themselves.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from tests.simulation import plan
from tests.simulation.promises import Stores
from tests.simulation.promises.stores import json_lines, sqlite_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """One thing broken, and the key of the row that must go red."""

    key: str
    what: str
    act: Callable[[Stores], None]


def _statement(query: LiteralString, *values: object, of: LiteralString = "") -> Callable[[Stores], None]:
    """Return the act of running one statement, which must change exactly one row; `of` fills the braces in it."""
    statement = sql.SQL(query).format(sql.SQL(of)) if of else sql.SQL(query)

    def act(stores: Stores) -> None:
        with psycopg.connect(stores.conninfo) as connection:
            connection.execute("set session_replication_role = replica")
            changed = connection.execute(statement, values).rowcount
            assert changed == 1, f"{changed} rows were changed"

    return act


def _definition(query: LiteralString) -> Callable[[Stores], None]:
    """Return the act of changing the schema."""

    def act(stores: Stores) -> None:
        with psycopg.connect(stores.conninfo) as connection:
            connection.execute(query)

    return act


def _sqlite(path: Callable[[Stores], Path], query: str, *values: object) -> Callable[[Stores], None]:
    """Return the act of running one statement in a SQLite file, which must change exactly one row."""

    def act(stores: Stores) -> None:
        with closing(sqlite3.connect(path(stores))) as connection, connection:
            assert connection.execute(query, values).rowcount == 1

    return act


def _entry(
    path: Callable[[Stores], Path],
    which: Callable[[dict[str, Any]], bool],
    changed: Callable[[dict[str, Any]], dict[str, Any] | None],
) -> Callable[[Stores], None]:
    """Return the act of changing the first entry of a log that fits, or of removing it where `changed` gives None."""

    def act(stores: Stores) -> None:
        entries = json_lines(path(stores))
        place = next(number for number, entry in enumerate(entries) if which(entry))
        replaced = changed(entries[place])
        entries[place : place + 1] = [] if replaced is None else [replaced]
        path(stores).write_text("".join(f"{json.dumps(entry)}\n" for entry in entries), encoding="utf-8")

    return act


def _story(changed: Callable[[dict[str, Any]], None]) -> Callable[[Stores], None]:
    """Return the act of changing what the story saw."""

    def act(stores: Stores) -> None:
        told = json.loads(stores.story.read_text(encoding="utf-8"))
        changed(told)
        stores.story.write_text(json.dumps(told), encoding="utf-8")

    return act


def _a_wire(stores: Stores) -> Path:
    return stores.exchanges[0]


def _a_store(stores: Stores) -> Path:
    return stores.gateway_store(stores.gateways[0])


def _channel(stores: Stores) -> Path:
    return stores.channel_book


def _gate(stores: Stores) -> Path:
    return stores.gate_log


def _in_february(entry: dict[str, Any]) -> bool:
    return "2026-02-1" in entry["at"] and bool(entry["values"])


def _with_another_value(entry: dict[str, Any]) -> dict[str, Any]:
    return entry | {"values": {name: value + 10 for name, value in entry["values"].items()}}


def _with_another_response(entry: dict[str, Any]) -> dict[str, Any]:
    flipped = f"{int(entry['response'][-1], 16) ^ 1:x}"
    return entry | {"response": entry["response"][:-1] + flipped}


def _opened_while_cut(entry: dict[str, Any]) -> bool:
    return bool(entry["kind"] == "open" and entry["at"].startswith(plan.LINK_CUT.isoformat()))


def _kiosk_out_of_order(told: dict[str, Any]) -> None:
    for seen in told["kiosk"]:
        seen["status"] = 503


def _corrected_again(told: dict[str, Any]) -> None:
    first, second = told["corrections"]
    second["bills"] = first["bills"]


def _last_opening(stores: Stores) -> None:
    """Take the last opening of the bar out of its log: a car that wanted out was not let out."""
    last = [entry for entry in json_lines(stores.gate_log) if entry["kind"] == "open"][-1]
    _entry(_gate, lambda entry: entry == last, lambda _: None)(stores)


def _forge_certificate(stores: Stores) -> None:
    path = stores.certificate(stores.gateways[-1])
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def _forge_bundle(stores: Stores) -> None:
    path = _a_store(stores)
    rowid, signed = sqlite_rows(path, "select kind || '/' || version, signed from bundle where kind = 'site'")[0]
    forged = bytes(signed[:-1]) + bytes([signed[-1] ^ 1])
    _sqlite(lambda _: path, "update bundle set signed = ? where kind || '/' || version = ?", forged, rowid)(stores)


_FIRST_METERED = """
    (select l.ctid from bill_line l join bill b using (tenant_id, community_id, bill_id)
      where l.basis = 'metered' and b.kind <> 'adjustment' order by b.number, l.n limit 1)
"""
_ONE_BLOCK = "(select ctid from meter_day_block where day = '2026-02-11' order by meter_id limit 1)"
_FIRST_OF_MONTH = "(select ctid from meter_day_block where day = '2026-02-01' order by meter_id limit 1)"
_AFTER_THE_CUT = """
    (select g.ctid from gateway_batch g
      where g.received_at > %s
        and exists (select from meter_day_block m
                     where m.gateway_id = g.gateway_id and m.sequence = g.sequence and m.day = %s)
        and not exists (select from gateway_batch o
                         where o.gateway_id = g.gateway_id and o.received_at between %s and %s)
      order by (select count(*) from meter_day_block m
                 where m.gateway_id = g.gateway_id and m.sequence = g.sequence) desc
      limit 1)
"""

BREAKS: tuple[Break, ...] = (
    Break(
        key="lines_explained",
        what="the block behind a line is deleted",
        act=_statement("delete from meter_day_block where ctid = {}", of=_FIRST_OF_MONTH),
    ),
    Break(
        key="lines_explained",
        what="the posting of a line is a fen short",
        act=_statement(
            "update transfer set fen = fen - 1 where ctid = (select t.ctid from transfer t join journal j"
            " using (tenant_id, community_id, journal_id) where j.kind = 'bill_regular' limit 1)"
        ),
    ),
    Break(
        key="lines_explained",
        what="a rating input is not what its name says",
        act=_statement(
            "update rating_input set body = body || ' ' where ctid = (select ctid from rating_input r"
            " where exists (select from bill_line where input_sha = r.sha) limit 1)"
        ),
    ),
    Break(
        key="payments_explained",
        what="a payment settles a fen more than was paid",
        act=_statement(
            "update transfer set fen = fen + 1 where ctid = (select t.ctid from transfer t join payment p"
            " using (tenant_id, community_id, journal_id) limit 1)"
        ),
    ),
    Break(
        key="nothing_lost",
        what="a day of a meter is lost",
        act=_statement("delete from meter_day_block where ctid = {}", of=_ONE_BLOCK),
    ),
    Break(
        key="nothing_lost",
        what="a stored register is another",
        act=_statement("update meter_day_block set first_milli = first_milli + 10 where ctid = {}", of=_ONE_BLOCK),
    ),
    Break(
        key="nothing_lost",
        what="a device showed another value than was stored",
        act=_entry(_a_wire, _in_february, _with_another_value),
    ),
    Break(
        key="nothing_lost",
        what="a car that the camera saw is not told",
        act=_statement("delete from parking_event where ctid = (select ctid from parking_event limit 1)"),
    ),
    Break(
        key="one_price",
        what="a bill charges a fen more than the gateway's estimate",
        act=_statement("update bill_line set fen = fen + 1, net_fen = net_fen + 1 where ctid = {}", of=_FIRST_METERED),
    ),
    Break(
        key="immutable",
        what="an issued line is renamed",
        act=_statement("update bill_line set name_zh = name_zh || '。' where ctid = {}", of=_FIRST_METERED),
    ),
    Break(
        key="immutable",
        what="an issued bill is due on another day",
        act=_statement("update bill set due_on = due_on + 1 where ctid = (select ctid from bill limit 1)"),
    ),
    Break(
        key="never_zero",
        what="an exception is closed without a reading",
        act=_statement(
            "update open_case set closed_at = opened_at, closing_reason = '-' where case_id ="
            " (select case_id from open_case where reason = 'no_reading' limit 1)"
        ),
    ),
    Break(
        key="never_zero",
        what="a register that was billed is gone",
        act=_statement("delete from meter_day_block where ctid = {}", of=_FIRST_OF_MONTH),
    ),
    Break(
        key="works_alone",
        what="a batch of the days without link came while the link was cut",
        act=_statement(
            "update gateway_batch set received_at = %s where ctid = {}",
            plan.local(plan.LINK_CUT, 12),
            plan.local(plan.LINK_BACK),
            plan.LINK_BACK,
            plan.local(plan.LINK_CUT, 1),
            plan.local(plan.LINK_BACK),
            of=_AFTER_THE_CUT,
        ),
    ),
    Break(
        key="companies_apart",
        what="one table has no row security",
        act=_definition("alter table party disable row level security"),
    ),
    Break(
        key="companies_apart",
        what="the policy of one table lets everybody in",
        act=_definition("create policy everybody on journal for select using (true)"),
    ),
    Break(
        key="not_pooled",
        what="the channel holds a fen more",
        act=_sqlite(_channel, "update entry set fen = fen + 1 where n = (select min(n) from entry)"),
    ),
    Break(
        key="not_pooled",
        what="a receipt of one entity lies in another's account",
        act=_statement(
            "update ledger_account set legal_entity_id = gen_random_uuid() where ctid ="
            " (select ctid from ledger_account where type = 'clearing' limit 1)"
        ),
    ),
    Break(key="nobody_locked_out", what="the bar stays shut for a car that leaves", act=_last_opening),
    Break(
        key="anyone_can_check",
        what="a byte of a batch is forged",
        act=_statement(
            "update gateway_batch set signed = set_byte(signed, 200, get_byte(signed, 200) # 1) where ctid ="
            " (select ctid from gateway_batch order by gateway_id, sequence offset 20 limit 1)"
        ),
    ),
    Break(
        key="anyone_can_check",
        what="a receipt is forged",
        act=_statement(
            "update gateway_batch set receipt = set_byte(receipt, length(receipt) - 1,"
            " get_byte(receipt, length(receipt) - 1) # 1) where ctid ="
            " (select ctid from gateway_batch order by gateway_id, sequence limit 1)"
        ),
    ),
    Break(
        key="anyone_can_check",
        what="a batch is taken out of the middle of its chain",
        act=_statement(
            "delete from gateway_batch where ctid ="
            " (select ctid from gateway_batch order by gateway_id, sequence offset 10 limit 1)"
        ),
    ),
    Break(key="anyone_can_check", what="a bundle on a gateway is forged", act=_forge_bundle),
    Break(key="anyone_can_check", what="a certificate is forged", act=_forge_certificate),
    Break(
        key="anyone_can_check",
        what="a transfer of a journal is another",
        act=_statement("update transfer set fen = fen + 1 where ctid = (select ctid from transfer limit 1)"),
    ),
    Break(
        key="anyone_can_check",
        what="a journal of a sealed day is deleted",
        act=_statement(
            "delete from journal where ctid = (select j.ctid from journal j join seal s"
            " using (tenant_id, community_id, business_date) limit 1)"
        ),
    ),
    Break(
        key="reconciled",
        what="a match is undone",
        act=_statement("delete from match where ctid = (select ctid from match limit 1)"),
    ),
    Break(
        key="reconciled",
        what="the channel took money on a day that nobody compared",
        act=_sqlite(
            _channel,
            "update entry set at = '2026-03-20T09:00:00+08:00' where n = (select min(n) from entry"
            " where debit like 'payer:%')",
        ),
    ),
    Break(
        key="corrected",
        what="an adjustment names another line",
        act=_statement(
            "delete from bill_line where ctid = (select ctid from bill_line where corrects_bill_id is not null limit 1)"
        ),
    ),
    Break(
        key="corrected",
        what="the second application wrote a document",
        act=_story(_corrected_again),
    ),
    Break(
        key="gate_while_cut",
        what="the bar stayed shut while the link was cut",
        act=_entry(_gate, _opened_while_cut, lambda _: None),
    ),
    Break(
        key="gate_while_cut",
        what="the kiosk was out of order while the link was cut",
        act=_story(_kiosk_out_of_order),
    ),
    Break(
        key="real_wires",
        what="a device remembers another frame",
        act=_entry(_a_wire, _in_february, _with_another_response),
    ),
)
