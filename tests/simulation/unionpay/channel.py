"""UnionPay put together: front, back, query and file addresses, and the back door."""

from __future__ import annotations

import asyncio
import os
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from sqlite3 import Row
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.simulation.counterparty.messenger import FormMessenger
from tests.simulation.counterparty.running import application, common_acts
from tests.simulation.unionpay import seals
from tests.simulation.unionpay.zm_file import write_zm
from tests.simulation.wechat.bill_file import Flaws
from tests.simulation.wechat.book import BEIJING, Book, ChannelRefusalError
from tests.simulation.wechat.mischief import Mischief, Mischiefs
from tests.simulation.wechat.seals import read_public

REPEATS_S = (60, 120, 240, 900, 900)
_CODES = {"ORDERPAID": "12", "ORDER_CLOSED": "39", "OUT_TRADE_NO_USED": "12", "NOT_ENOUGH": "36", "PARAM_ERROR": "10"}
_LIFE = timedelta(minutes=5)
_ECHOED = ("merId", "orderId", "txnTime", "txnType")
Fields = dict[str, str]


class No(Exception):  # noqa: N818 - an answer of the channel
    """A result code that is not 00."""


@dataclass(kw_only=True)
class UnionPayChannel:
    """Everything UnionPay holds."""

    book: Book
    mischiefs: Mischiefs
    now: Callable[[], datetime]
    certificates: seals.Certificates

    def seal(self, fields: Mapping[str, str], spoiled: Mischief | None) -> Fields:
        """Return a notification with its certificate and signature, spoiled as wished."""
        held = self.certificates
        if spoiled is Mischief.NOTIFY_FORGED:
            return seals.sealed(held.stranger_key, held.stranger, fields)
        return seals.sealed(held.key, held.own, fields)


class UnionPaySimulator:
    """The interfaces over a channel."""

    def __init__(self, folder: Path, now: Callable[[], datetime], *, hurry: int = 1) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.channel = UnionPayChannel(
            book=Book(folder / "book.sqlite", short_numbers=True),
            mischiefs=Mischiefs(),
            now=now,
            certificates=seals.Certificates(folder),
        )
        self.messenger = FormMessenger(self.channel.mischiefs, self.channel.seal, "ok", REPEATS_S, hurry)
        self._times: dict[str, str] = {}

    def app(self) -> Starlette:
        """Return the application."""
        acts = {
            **common_acts(self.channel.book, self.channel.mischiefs),
            "merchants": self._add_merchant,
            "pay": self._pay,
            "finish-refund": self._finish_refund,
            "withdraw": self._withdraw,
        }
        routes = [
            Route("/gateway/api/frontTransReq.do", self._front, methods=["POST"]),
            Route("/gateway/api/backTransReq.do", self._serve(self._back), methods=["POST"]),
            Route("/gateway/api/queryTrans.do", self._serve(self._query), methods=["POST"]),
            Route("/", self._serve(self._file), methods=["POST"]),
        ]
        return application(routes, acts, self.messenger)

    async def _front(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        try:
            self._verified(form)
            self._placed(form)
        except (No, ChannelRefusalError) as no:
            return Response(f"<p>{no}</p>", 200, {"Content-Type": "text/html; charset=utf-8"})
        return Response("<p>请输入卡号</p>", 200, {"Content-Type": "text/html; charset=utf-8"})

    def _serve(self, handle: Callable[[Fields], Fields]) -> Callable[[Request], Any]:
        async def serve(request: Request) -> Response:
            form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
            order = form.get("orderId", "")
            take = self.channel.mischiefs.take
            echoed: Fields = {name: form[name] for name in _ECHOED if name in form}
            try:
                self._verified(form)
                if take(Mischief.SERVER_ERROR, order) is not None:
                    return Response(b"", 500)
                if take(Mischief.RATE_LIMITED, order) is not None:
                    return Response(b"", 429)
                told = {"respCode": "00", "respMsg": "成功[0000000]", **handle(form)}
            except No as no:
                told = {"respCode": str(no), "respMsg": "失败"}
            except ChannelRefusalError as no:
                told = {"respCode": _CODES.get(no.code, "99"), "respMsg": no.message}
            return await self._answer({"version": "5.1.0", "encoding": "UTF-8", **echoed, **told}, order)

        return serve

    async def _answer(self, told: Fields, order: str) -> Response:
        take, held = self.channel.mischiefs.take, self.channel.certificates
        if take(Mischief.COMMIT_THEN_ERROR, order) is not None:
            return Response(b"", 500)
        hang_s = take(Mischief.COMMIT_THEN_HANG, order)
        if hang_s is not None:
            await asyncio.sleep(hang_s)
        if take(Mischief.WRONG_KEY, order) is not None:
            return Response(seals.flat(seals.sealed(held.stranger_key, held.stranger, told)))
        if take(Mischief.UNSIGNED, order) is not None:
            return Response(seals.flat(told))
        return Response(seals.flat(seals.sealed(held.key, held.own, told)))

    def _verified(self, form: Fields) -> None:
        merchant = self.channel.book.merchant(form.get("merId", ""))
        if merchant is None or form.get("version") != "5.1.0" or form.get("certId") != merchant["serial"]:
            raise No("11")
        if not seals.confirmed(read_public(merchant["public_pem"]), form):
            raise No("11")

    def _placed(self, form: Fields) -> str:
        expires = form.get("payTimeout")
        until = (
            datetime.strptime(expires, "%Y%m%d%H%M%S").replace(tzinfo=BEIJING)
            if expires
            else self.channel.now() + _LIFE
        )
        order = {
            "out_trade_no": form["orderId"],
            "description": form.get("orderDesc", ""),
            "amount": {"total": int(form["txnAmt"]), "currency": "CNY"},
            "notify_url": form["backUrl"],
            "time_expire": until.isoformat(timespec="seconds"),
        }
        self._times[form["orderId"]] = form["txnTime"]
        return self.channel.book.place(form["merId"], order).rpartition("=")[2]

    def _back(self, form: Fields) -> Fields:
        match (form["txnType"], form.get("txnSubType")):
            case ("01", "07"):
                return {"qrCode": f"https://qr.95516.com/00010000/{self._placed(form)}"}
            case ("01", "06"):
                return self._scanned(form)
            case ("04", _):
                return self._refund(form)
            case ("99", _):
                if self.channel.mischiefs.take(Mischief.REVERSE_AGAIN, form["orderId"]) is not None:
                    raise No("05")
                self.channel.book.reverse(form["merId"], form["orderId"], self.channel.now())
                return {}
            case _:
                raise No("10")

    def _scanned(self, form: Fields) -> Fields:
        take, number = self.channel.mischiefs.take, form["orderId"]
        if take(Mischief.CODE_REFUSED, number) is not None or not form.get("qrNo", "").startswith("62"):
            raise No("37")
        self._placed(form)
        if take(Mischief.CODE_WAITS, number) is None:
            self.channel.book.pay(number, "card", self.channel.now(), late=False)
        return {"queryId": ""}

    def _refund(self, form: Fields) -> Fields:
        book = self.channel.book
        trade = next((row for row in book.trades(form["merId"]) if row["transaction_id"] == form["origQryId"]), None)
        if trade is None:
            raise No("34")
        pending = self.channel.mischiefs.take(Mischief.REFUND_PENDING, trade["number"]) is not None
        order = {
            "out_trade_no": trade["number"],
            "out_refund_no": form["orderId"],
            "amount": {"refund": int(form["txnAmt"]), "total": trade["fen"]},
            "notify_url": form["backUrl"],
        }
        self._times[form["orderId"]] = form["txnTime"]
        row = book.refund(form["merId"], order, self.channel.now(), state="PROCESSING" if pending else "SUCCESS")
        return {"queryId": row["refund_id"], "txnAmt": str(row["fen"])}

    def _query(self, form: Fields) -> Fields:
        number = form["orderId"]
        if self._times.get(number) != form["txnTime"]:
            raise No("34")
        refund = self.channel.book.find_refund(number)
        if refund is not None:
            result = {"SUCCESS": "00", "PROCESSING": "05"}.get(refund["state"], "96")
            return self._refund_told(refund) | {"origRespCode": result}
        row = self.channel.book.trade(form["merId"], number, missing_ok=True)
        if row is None or row["state"] in {"NOTPAY", "CLOSED", "REVOKED"}:
            raise No("34")
        told = self._told(row) | {"origRespCode": "00"}
        add_fen = self.channel.mischiefs.take(Mischief.QUERY_WRONG_AMOUNT, number)
        return told if add_fen is None else told | {"txnAmt": str(row["fen"] + add_fen)}

    def _file(self, form: Fields) -> Fields:
        take, local = self.channel.mischiefs.take, self.channel.now().astimezone(BEIJING)
        year = local.year - (form["settleDate"] > f"{local:%m%d}")
        day = f"{year}-{form['settleDate'][:2]}-{form['settleDate'][2:]}"
        early = day >= local.date().isoformat() or (
            day == (local.date() - timedelta(days=1)).isoformat() and local.hour < 10
        )
        if early or take(Mischief.BILL_NOT_READY) is not None:
            raise No("98")
        flaws = Flaws(
            rows_missing=take(Mischief.BILL_DROPS_ROW) or 0,
            rows_doubled=take(Mischief.BILL_DOUBLES_ROW) or 0,
            first_payment_fen=take(Mischief.BILL_WRONG_AMOUNT) or 0,
            total_fen=take(Mischief.BILL_WRONG_TOTAL) or 0,
        )
        raw = write_zm(self.channel.book, form["merId"], day, flaws)
        return {"fileName": f"{form['merId']}_{day}.zip", "fileContent": b64encode(raw).decode()}

    def _told(self, row: Row) -> Fields:
        at = row["paid_at"]
        return {
            "merId": row["mchid"],
            "orderId": row["number"],
            "queryId": row["transaction_id"],
            "txnAmt": str(row["fen"]),
            "currencyCode": "156",
            "txnTime": self._times[row["number"]],
            "traceTime": at[5:7] + at[8:10] + at[11:13] + at[14:16] + at[17:19],
            "txnType": "01",
            "txnSubType": "07",
        }

    def _refund_told(self, row: Row) -> Fields:
        at = row["done_at"] or row["made_at"]
        return {
            "merId": row["mchid"],
            "orderId": row["number"],
            "queryId": row["refund_id"],
            "txnAmt": str(row["fen"]),
            "currencyCode": "156",
            "txnTime": self._times[row["number"]],
            "traceTime": at[5:7] + at[8:10] + at[11:13] + at[14:16] + at[17:19],
            "txnType": "04",
            "txnSubType": "00",
        }

    def _add_merchant(self, fields: dict[str, Any]) -> dict[str, Any]:
        self.channel.book.add_merchant({**fields, "appid": "", "api_key": ""})
        return {"root_pem": self.channel.certificates.root}

    def _pay(self, fields: dict[str, Any]) -> dict[str, Any]:
        book, take = self.channel.book, self.channel.mischiefs.take
        code = str(fields.get("code_url", "")).rpartition("/")[2]
        number = fields.get("number") or book.by_code(f"weixin://wxpay/bizpayurl?pr={code}")["number"]
        row = book.pay(number, "card", self.channel.now(), late=bool(fields.get("late")))
        told = {"version": "5.1.0", "encoding": "UTF-8", "respCode": "00", **self._told(row)}
        lie = None
        add_fen = take(Mischief.NOTIFY_WRONG_AMOUNT, number)
        if add_fen is not None:
            lie = {**told, "txnAmt": str(row["fen"] + add_fen), "queryId": os.urandom(8).hex()}
        elif take(Mischief.NOTIFY_WRONG_MERCHANT, number) is not None:
            lie = {**told, "merId": "777290099999999"}
        elif take(Mischief.NOTIFY_WRONG_ORDER, number) is not None:
            lie = {**told, "orderId": "GH20000101ZZZZZZZZZZZZZZ", "queryId": os.urandom(8).hex()}
        self.messenger.announce(number, row["notify_url"], told, lie)
        return {"number": number, "transaction_id": row["transaction_id"], "fen": row["fen"], "paid_at": row["paid_at"]}

    def _finish_refund(self, fields: dict[str, Any]) -> dict[str, Any]:
        book = self.channel.book
        book.finish_refund(fields["number"], self.channel.now(), state=fields.get("state", "SUCCESS"))
        row = book.find_refund(fields["number"])
        if row is None:
            raise ChannelRefusalError(404, "REFUND_UNKNOWN", "退款不存在")
        told = {"version": "5.1.0", "encoding": "UTF-8", "respCode": "00", **self._refund_told(row)}
        self.messenger.announce(row["trade_number"], row["notify_url"], told, None)
        return {}

    def _withdraw(self, fields: dict[str, Any]) -> dict[str, Any]:
        return {"number": self.channel.book.withdraw(fields["mchid"], int(fields["fen"]), self.channel.now())}
