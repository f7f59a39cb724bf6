"""The channel's own book in SQLite: merchants, orders, refunds and a double entry for every fen that moved.

Nothing of the product is used here, so that reconciliation compares two independent books. All instants are business
time in ISO text with the Beijing offset; amounts are fen.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

BEIJING = timezone(timedelta(hours=8))
_FEE_PER_MYRIAD = 60
_MYRIAD = 10_000
_SCHEMA = """
create table if not exists merchant(
  mchid text primary key, appid text not null, serial text not null, public_pem text not null, api_key text not null
) strict;
create table if not exists trade(
  number text primary key, mchid text not null references merchant, description text not null, fen integer not null
  check (fen > 0), currency text not null, notify_url text not null, code text unique, expires_at text not null,
  state text not null, transaction_id text unique, paid_at text, payer text, fee_fen integer not null default 0
) strict;
create table if not exists refund(
  number text primary key, trade_number text not null references trade, refund_id text not null unique,
  fen integer not null check (fen > 0), state text not null, notify_url text, made_at text not null, done_at text,
  fee_back_fen integer not null default 0
) strict;
create table if not exists entry(
  n integer primary key, at text not null, debit text not null, credit text not null,
  fen integer not null check (fen > 0), trade_number text not null
) strict;
create table if not exists entry_ref(n integer primary key references entry, ref text not null) strict;
create table if not exists counter(name text primary key, next integer not null) strict;
"""


class ChannelRefusalError(Exception):
    """A refusal with the status and code the channel documents."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status = status
        self.code = code
        self.message = message
        super().__init__(f"{status} {code} {message}")


class Book:
    """The channel's book; one connection, used by one event loop."""

    def __init__(self, file: Path, *, short_numbers: bool = False) -> None:
        self._short_numbers = short_numbers
        self._db = sqlite3.connect(file, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma foreign_keys=on")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def add_merchant(self, fields: dict[str, str]) -> None:
        """Register a merchant or renew its keys."""
        self._db.execute(
            "insert into merchant values (:mchid, :appid, :serial, :public_pem, :api_key) on conflict (mchid) do update"
            " set appid = :appid, serial = :serial, public_pem = :public_pem, api_key = :api_key",
            fields,
        )

    def merchant(self, mchid: str) -> sqlite3.Row | None:
        """Return a merchant."""
        row: sqlite3.Row | None = self._db.execute("select * from merchant where mchid = ?", (mchid,)).fetchone()
        return row

    def merchants(self) -> list[sqlite3.Row]:
        """Return every merchant."""
        return self._db.execute("select * from merchant order by mchid").fetchall()

    def place(self, mchid: str, order: dict[str, Any]) -> str:
        """Book an order as not paid and return its code; the same order again gets a new code, the old one dies."""
        old = self.trade(mchid, order["out_trade_no"], missing_ok=True)
        code = f"weixin://wxpay/bizpayurl?pr={self._next('code', 7_000_000):x}"
        wanted = (order["description"], order["amount"]["total"], order["amount"]["currency"], order["notify_url"])
        if old is None:
            self._db.execute(
                "insert into trade(number, mchid, description, fen, currency, notify_url, code, expires_at, state)"
                " values (?, ?, ?, ?, ?, ?, ?, ?, 'NOTPAY')",
                (order["out_trade_no"], mchid, *wanted, code, order["time_expire"]),
            )
            return code
        if old["state"] != "NOTPAY":
            raise ChannelRefusalError(
                400, "ORDERPAID" if old["state"] == "SUCCESS" else "ORDER_CLOSED", "订单已支付或已关闭"
            )
        if (old["description"], old["fen"], old["currency"], old["notify_url"]) != wanted:
            raise ChannelRefusalError(403, "OUT_TRADE_NO_USED", "商户订单号重复")
        self._db.execute("update trade set code = ? where number = ?", (code, old["number"]))
        return code

    def trade(self, mchid: str, number: str, *, missing_ok: bool = False) -> sqlite3.Row | None:
        """Return an order of a merchant."""
        row: sqlite3.Row | None = self._db.execute(
            "select * from trade where number = ? and mchid = ?", (number, mchid)
        ).fetchone()
        if row is None and not missing_ok:
            raise ChannelRefusalError(404, "ORDER_NOT_EXIST", "订单不存在")
        return row

    def by_code(self, code: str) -> sqlite3.Row:
        """Return the order that a code stands for."""
        row: sqlite3.Row | None = self._db.execute("select * from trade where code = ?", (code,)).fetchone()
        if row is None:
            raise ChannelRefusalError(404, "CODE_UNKNOWN", "二维码已失效")
        return row

    def pay(self, number: str, payer: str, now: datetime, *, late: bool) -> sqlite3.Row:
        """Take the payer's money for an order; `late` lets a payment begun before the closing succeed after it."""
        row = self._db.execute("select * from trade where number = ?", (number,)).fetchone()
        expired = now >= datetime.fromisoformat(row["expires_at"])
        if row["state"] == "SUCCESS" or row["state"] == "REFUND":
            raise ChannelRefusalError(409, "ORDERPAID", "订单已支付")
        if row["state"] == "REVOKED" or ((row["state"] == "CLOSED" or expired) and not late):
            raise ChannelRefusalError(409, "ORDER_CLOSED", "订单已关闭或二维码已过期")
        fee_fen = (row["fen"] * _FEE_PER_MYRIAD + _MYRIAD // 2) // _MYRIAD
        day = now.astimezone(BEIJING).strftime("%Y%m%d")
        transaction_id = (
            f"{day}{self._next('short', 1):013d}"
            if self._short_numbers
            else f"4200{self._next('transaction', 1_000_000):06d}{day}{self._next('tail', 4_000_000_000):010d}"
        )
        with _transaction(self._db):
            self._db.execute(
                "update trade set state = 'SUCCESS', transaction_id = ?, paid_at = ?, payer = ?, fee_fen = ?"
                " where number = ?",
                (transaction_id, _text(now), payer, fee_fen, number),
            )
            self._enter(now, f"payer:{payer}", f"merchant:{row['mchid']}", row["fen"], number)
            self._enter(now, f"merchant:{row['mchid']}", "fees", fee_fen, number)
        return self.trade(row["mchid"], number) or row

    def close_trade(self, mchid: str, number: str) -> None:
        """Close an unpaid order."""
        row = self.trade(mchid, number)
        if row is not None and row["state"] in {"SUCCESS", "REFUND"}:
            raise ChannelRefusalError(400, "ORDERPAID", "订单已支付")
        self._db.execute("update trade set state = 'CLOSED' where number = ?", (number,))

    def refund(self, mchid: str, wish: dict[str, Any], now: datetime, *, state: str) -> sqlite3.Row:
        """Book a refund; the same refund number again is the same refund."""
        again = self.find_refund(wish["out_refund_no"])
        if again is not None:
            return again
        trade = self.trade(mchid, wish["out_trade_no"])
        left = self._left(wish["out_trade_no"])
        if trade is None or trade["state"] not in {"SUCCESS", "REFUND"} or wish["amount"]["refund"] > left:
            raise ChannelRefusalError(403, "NOT_ENOUGH", "可退金额不足")
        if wish["amount"]["total"] != trade["fen"]:
            raise ChannelRefusalError(400, "PARAM_ERROR", "订单金额不一致")
        fen = wish["amount"]["refund"]
        with _transaction(self._db):
            self._db.execute(
                "insert into refund(number, trade_number, refund_id, fen, state, notify_url, made_at)"
                " values (?, ?, ?, ?, 'PROCESSING', ?, ?)",
                (
                    wish["out_refund_no"],
                    wish["out_trade_no"],
                    f"503{self._next('refund', 10_000_000_000)}",
                    fen,
                    wish.get("notify_url"),
                    _text(now),
                ),
            )
            self._db.execute("update trade set state = 'REFUND' where number = ?", (wish["out_trade_no"],))
        if state != "PROCESSING":
            self.finish_refund(wish["out_refund_no"], now, state=state)
        made = self.find_refund(wish["out_refund_no"])
        if made is None:
            raise ChannelRefusalError(500, "SYSTEM_ERROR", "系统错误")
        return made

    def finish_refund(self, number: str, now: datetime, *, state: str) -> None:
        """Let a refund arrive (SUCCESS), or end it otherwise."""
        row = self.find_refund(number)
        if row is None or row["state"] == "SUCCESS":
            return
        trade = self._db.execute("select * from trade where number = ?", (row["trade_number"],)).fetchone()
        fee_back_fen = trade["fee_fen"] * row["fen"] // trade["fen"] if state == "SUCCESS" else 0
        with _transaction(self._db):
            self._db.execute(
                "update refund set state = ?, done_at = ?, fee_back_fen = ? where number = ?",
                (state, _text(now), fee_back_fen, number),
            )
            if state == "SUCCESS":
                merchant, payer = f"merchant:{trade['mchid']}", f"payer:{trade['payer']}"
                self._enter(now, merchant, payer, row["fen"], trade["number"], ref=number)
                self._enter(now, "fees", merchant, fee_back_fen, trade["number"], ref=number)

    def find_refund(self, number: str) -> sqlite3.Row | None:
        """Return a refund."""
        row: sqlite3.Row | None = self._db.execute(
            "select refund.*, trade.mchid, trade.fen as total_fen, trade.transaction_id, trade.currency from refund"
            " join trade on trade.number = refund.trade_number where refund.number = ?",
            (number,),
        ).fetchone()
        return row

    def payments_of(self, mchid: str, day: str) -> list[sqlite3.Row]:
        """Return what was paid to a merchant on a Beijing day, oldest first."""
        return self._db.execute(
            "select * from trade where mchid = ? and substr(paid_at, 1, 10) = ? order by paid_at, number", (mchid, day)
        ).fetchall()

    def refunds_of(self, mchid: str, day: str) -> list[sqlite3.Row]:
        """Return what was refunded by a merchant on a Beijing day, oldest first."""
        return self._db.execute(
            "select refund.*, trade.fen as total_fen, trade.description, trade.payer, trade.transaction_id,"
            " trade.currency from refund join trade on trade.number = refund.trade_number where trade.mchid = ?"
            " and substr(refund.done_at, 1, 10) = ? and refund.state = 'SUCCESS' order by refund.done_at",
            (mchid, day),
        ).fetchall()

    def withdraw(self, mchid: str, fen: int, now: datetime) -> str:
        """Send money of a merchant to his bank and return the number of the transfer."""
        number = f"WD{self._next('withdrawal', 10_000_000):d}"
        with _transaction(self._db):
            self._enter(now, f"merchant:{mchid}", "bank", fen, number)
        return number

    def complain(self, mchid: str, fen: int, number: str, now: datetime) -> None:
        """Take money of a merchant for a payer's complaint."""
        with _transaction(self._db):
            self._enter(now, f"merchant:{mchid}", "complaints", fen, number)

    def reverse(self, mchid: str, number: str, now: datetime) -> None:
        """Undo an order whose payer showed a code: money goes back, and it can never be paid again."""
        row = self.trade(mchid, number, missing_ok=True)
        if row is None or row["state"] in {"CLOSED", "REVOKED"}:
            return
        with _transaction(self._db):
            if row["state"] == "SUCCESS":
                merchant = f"merchant:{mchid}"
                self._enter(now, merchant, f"payer:{row['payer']}", row["fen"], number)
                self._enter(now, "fees", merchant, row["fee_fen"], number)
            self._db.execute("update trade set state = 'REVOKED', paid_at = null where number = ?", (number,))

    def movements(self, mchid: str, day: str) -> list[dict[str, Any]]:
        """Return what moved on a merchant's balance on a Beijing day, with the balance after each movement."""
        account = f"merchant:{mchid}"
        rows = self._db.execute(
            "select entry.*, ref from entry join entry_ref using (n) where ? in (debit, credit)"
            " and substr(at, 1, 10) <= ? order by n",
            (account, day),
        ).fetchall()
        balance, found = 0, []
        for row in rows:
            came = row["credit"] == account
            balance += row["fen"] if came else -row["fen"]
            if row["at"][:10] == day:
                other = row["debit"] if came else row["credit"]
                found.append({**dict(row), "came": came, "balance": balance, "kind": _kind(other, came=came)})
        return found

    def trades(self, mchid: str) -> list[dict[str, Any]]:
        """Return every order of a merchant, for an auditor."""
        rows = self._db.execute("select * from trade where mchid = ? order by number", (mchid,)).fetchall()
        return [dict(row) for row in rows]

    def refunds(self, mchid: str) -> list[dict[str, Any]]:
        """Return every refund of a merchant, for an auditor."""
        rows = self._db.execute(
            "select refund.* from refund join trade on trade.number = trade_number where mchid = ? order by 1", (mchid,)
        ).fetchall()
        return [dict(row) for row in rows]

    def balance(self, account: str) -> int:
        """Return credits minus debits of an account of the channel's book, in fen."""
        row = self._db.execute(
            "select coalesce(sum(case when credit = ? then fen else -fen end), 0) from entry"
            " where ? in (debit, credit)",
            (account, account),
        ).fetchone()
        return int(row[0])

    def _left(self, trade_number: str) -> int:
        row = self._db.execute(
            "select trade.fen - coalesce((select sum(fen) from refund where trade_number = trade.number and state in"
            " ('PROCESSING', 'SUCCESS', 'ABNORMAL')), 0) from trade where number = ?",
            (trade_number,),
        ).fetchone()
        return int(row[0])

    def _enter(self, now: datetime, debit: str, credit: str, fen: int, number: str, ref: str = "") -> None:
        if fen:
            made = self._db.execute(
                "insert into entry(at, debit, credit, fen, trade_number) values (?, ?, ?, ?, ?)",
                (_text(now), debit, credit, fen, number),
            )
            self._db.execute("insert into entry_ref values (?, ?)", (made.lastrowid, ref or number))

    def _next(self, name: str, first: int) -> int:
        row = self._db.execute(
            "insert into counter values (?, ?) on conflict (name) do update set next = next + 1 returning next",
            (name, first),
        ).fetchone()
        return int(row[0])


def _kind(other: str, *, came: bool) -> str:
    """Return what a movement is called, by who stands on its other side."""
    if other.startswith("payer:"):
        return "trade" if came else "refund"
    return {"fees": "fee_back" if came else "fee", "bank": "withdrawal", "complaints": "complaint"}[other]


class _transaction:  # noqa: N801 - reads as a statement
    """One transaction of the channel's book."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("begin immediate")

    def __exit__(self, kind: object, *rest: object) -> None:
        self._db.execute("commit" if kind is None else "rollback")


def _text(instant: datetime) -> str:
    return instant.astimezone(BEIJING).isoformat(timespec="seconds")
