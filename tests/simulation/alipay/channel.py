"""Alipay put together: one gateway that dispatches by method, the address of files, and the back door."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from sqlite3 import Row
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.simulation.alipay import agreements, seals
from tests.simulation.alipay.bill_file import write_flows, write_trades
from tests.simulation.alipay.told import Refusal, amount_fen, fund_channel, order_told, refund_told, yuan
from tests.simulation.counterparty.messenger import FormMessenger
from tests.simulation.counterparty.running import application, common_acts
from tests.simulation.wechat.bill_file import Flaws
from tests.simulation.wechat.book import BEIJING, Book, ChannelRefusalError
from tests.simulation.wechat.mischief import Mischief, Mischiefs
from tests.simulation.wechat.seals import kept_key, new_key, read_public

REPEATS_S = (240, 600, 600, 3600, 7200, 21600, 54000)
_WINDOW_S = 900
_STALE_S = 200_000
_LIFE = timedelta(minutes=5)
Content = dict[str, Any]


@dataclass(kw_only=True)
class AlipayChannel:
    """Everything Alipay holds."""

    book: Book
    mischiefs: Mischiefs
    now: Callable[[], datetime]
    folder: Path
    base_url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    agreements: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Open the keys: one current, and a stranger's for forgeries."""
        self.key = kept_key(self.folder / "alipay.pem", "alipay")
        self.stranger = new_key("stranger")
        self.skew_s = 0

    def machine_s(self) -> float:
        """Return Alipay's machine clock."""
        return time.time() + self.skew_s

    def seal(self, fields: Mapping[str, str], spoiled: Mischief | None) -> dict[str, str]:
        """Return a notification with its time and signature, spoiled as wished."""
        at = self.machine_s() - (_STALE_S if spoiled is Mischief.NOTIFY_STALE else 0)
        stamped = {**fields, "notify_time": datetime.fromtimestamp(at, BEIJING).strftime("%Y-%m-%d %H:%M:%S")}
        return seals.sealed_form(self.stranger if spoiled is Mischief.NOTIFY_FORGED else self.key, stamped)


class AlipaySimulator:
    """The gateway over a channel."""

    def __init__(self, folder: Path, now: Callable[[], datetime], *, hurry: int = 1) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.channel = AlipayChannel(book=Book(folder / "book.sqlite"), mischiefs=Mischiefs(), now=now, folder=folder)
        self.messenger = FormMessenger(self.channel.mischiefs, self.channel.seal, "success", REPEATS_S, hurry)
        self._methods: dict[str, Callable[[Row, Content, Mapping[str, str]], Content]] = {
            "alipay.trade.precreate": self._precreate,
            "alipay.trade.page.pay": self._page,
            "alipay.trade.wap.pay": self._page,
            "alipay.trade.pay": self._pay_now,
            "alipay.trade.query": self._query,
            "alipay.trade.close": self._close,
            "alipay.trade.cancel": self._cancel,
            "alipay.trade.refund": self._refund,
            "alipay.trade.fastpay.refund.query": self._query_refund,
            "alipay.data.dataservice.bill.downloadurl.query": self._bill_address,
            **agreements.methods(self.channel),
        }

    def app(self) -> Starlette:
        """Return the application."""
        acts = {
            **common_acts(self.channel.book, self.channel.mischiefs),
            "merchants": self._add_merchant,
            "pay": self._pay,
            "finish-refund": self._finish_refund,
            "withdraw": self._withdraw,
            "skew": self._skew,
            **agreements.acts(self.channel),
        }
        routes = [
            Route("/gateway.do", self._gateway, methods=["GET", "POST"]),
            Route("/bill", self._download, methods=["GET"]),
        ]
        return application(routes, acts, self.messenger)

    async def _gateway(self, request: Request) -> Response:
        raw = (await request.body()).decode() if request.method == "POST" else request.url.query
        form = dict(parse_qsl(raw, keep_blank_values=True))
        method = form.get("method", "")
        node = f"{method.replace('.', '_')}_response"
        order = ""
        try:
            merchant = self._verified(form)
            content = json.loads(form["biz_content"])
            order = str(content.get("out_trade_no", ""))
            self._refuse_if_wished(order)
            told = {"code": "10000", "msg": "Success", **self._methods[method](merchant, content, form)}
        except Refusal as no:
            told = {"code": no.code, "msg": no.message, "sub_code": no.sub_code, "sub_msg": no.message}
        except ChannelRefusalError as no:
            told = {"code": "40004", "msg": "Business Failed", "sub_code": f"ACQ.{no.code}", "sub_msg": no.message}
        return await self._answer(node, told, order)

    async def _answer(self, node: str, told: Content, order: str) -> Response:
        take = self.channel.mischiefs.take
        if take(Mischief.COMMIT_THEN_ERROR, order) is not None:
            return Response(b"", 502)
        hang_s = take(Mischief.COMMIT_THEN_HANG, order)
        if hang_s is not None:
            await asyncio.sleep(hang_s)
        key = self.channel.stranger if take(Mischief.WRONG_KEY, order) is not None else self.channel.key
        body = seals.sealed_answer(key, node, told)
        if take(Mischief.UNSIGNED, order) is not None:
            body = json.dumps({node: told}, ensure_ascii=False).encode()
        return Response(body, 200, {"Content-Type": "text/html;charset=utf-8"})

    def _verified(self, form: Mapping[str, str]) -> Row:
        merchant = next((row for row in self.channel.book.merchants() if row["appid"] == form.get("app_id")), None)
        if merchant is None or form.get("sign_type") != "RSA2" or form.get("version") != "1.0":
            raise Refusal("40002", "isv.invalid-app-id", "无效的AppID参数")
        if not seals.request_confirmed(read_public(merchant["public_pem"]), form):
            raise Refusal("40002", "isv.invalid-signature", "无效签名")
        stamped = datetime.strptime(form["timestamp"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)
        if abs(stamped.timestamp() - self.channel.machine_s()) > _WINDOW_S:
            raise Refusal("40002", "isv.invalid-timestamp", "非法的时间戳参数")
        return merchant

    def _refuse_if_wished(self, order: str) -> None:
        if self.channel.mischiefs.take(Mischief.RATE_LIMITED, order) is not None:
            raise Refusal("40005", "isv.app-call-limited", "应用调用次数超限")
        if self.channel.mischiefs.take(Mischief.SERVER_ERROR, order) is not None:
            raise Refusal("20000", "isp.unknow-error", "系统繁忙")

    def _placed(self, merchant: Row, wish: Content, form: Mapping[str, str], expires: datetime) -> str:
        order = {
            "out_trade_no": wish["out_trade_no"],
            "description": wish["subject"],
            "amount": {"total": amount_fen(wish["total_amount"]), "currency": "CNY"},
            "notify_url": form.get("notify_url", ""),
            "time_expire": expires.isoformat(timespec="seconds"),
        }
        return self.channel.book.place(merchant["mchid"], order).rpartition("=")[2]

    def _expiry(self, wish: Content) -> datetime:
        return datetime.strptime(wish["time_expire"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)

    def _precreate(self, merchant: Row, wish: Content, form: Mapping[str, str]) -> Content:
        code = self._placed(merchant, wish, form, self._expiry(wish))
        return {"out_trade_no": wish["out_trade_no"], "qr_code": f"https://qr.alipay.com/bax{code}"}

    def _page(self, merchant: Row, wish: Content, form: Mapping[str, str]) -> Content:
        self._placed(merchant, wish, form, self._expiry(wish))
        return {"out_trade_no": wish["out_trade_no"]}

    def _pay_now(self, merchant: Row, wish: Content, form: Mapping[str, str]) -> Content:
        number, take = wish["out_trade_no"], self.channel.mischiefs.take
        payer = agreements.payer_of(self.channel, wish) or f"2088{wish.get('auth_code', '')[-8:]}"
        if take(Mischief.CODE_REFUSED, number) is not None:
            raise Refusal("40004", "ACQ.PAYMENT_AUTH_CODE_INVALID", "支付失败，获取顾客账户信息失败")
        self._placed(merchant, wish, form, self.channel.now() + _LIFE)
        if take(Mischief.CODE_WAITS, number) is not None:
            raise Refusal("10003", "", "等待用户付款")
        row = self.channel.book.pay(number, payer, self.channel.now(), late=False)
        agreements.note_taken(self.channel, wish)
        return {
            "out_trade_no": number,
            "trade_no": row["transaction_id"],
            "total_amount": yuan(row["fen"]),
            "gmt_payment": row["paid_at"][:19].replace("T", " "),
            "fund_bill_list": [{"amount": yuan(row["fen"]), "fund_channel": fund_channel(row)}],
        }

    def _query(self, merchant: Row, wish: Content, form: Mapping[str, str]) -> Content:
        del form
        row = self._trade(merchant, wish)
        told = order_told(row)
        add_fen = self.channel.mischiefs.take(Mischief.QUERY_WRONG_AMOUNT, row["number"])
        return told if add_fen is None else {**told, "total_amount": yuan(row["fen"] + add_fen)}

    def _trade(self, merchant: Row, wish: Content) -> Row:
        row = self.channel.book.trade(merchant["mchid"], wish["out_trade_no"], missing_ok=True)
        if row is None:
            raise Refusal("40004", "ACQ.TRADE_NOT_EXIST", "交易不存在")
        return row

    def _close(self, merchant: Row, wish: Content, form: Mapping[str, str]) -> Content:
        del form
        row = self._trade(merchant, wish)
        if row["state"] in {"SUCCESS", "REFUND"}:
            raise Refusal("40004", "ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
        self.channel.book.close_trade(merchant["mchid"], row["number"])
        return {"out_trade_no": row["number"]}

    def _cancel(self, merchant: Row, wish: Content, form: Mapping[str, str]) -> Content:
        del form
        if self.channel.mischiefs.take(Mischief.REVERSE_AGAIN, wish["out_trade_no"]) is not None:
            return {"out_trade_no": wish["out_trade_no"], "retry_flag": "Y"}
        self.channel.book.reverse(merchant["mchid"], wish["out_trade_no"], self.channel.now())
        return {"out_trade_no": wish["out_trade_no"], "retry_flag": "N", "action": "close"}

    def _refund(self, merchant: Row, wish: Content, form: Mapping[str, str]) -> Content:
        del form
        book, number = self.channel.book, wish["out_trade_no"]
        trade = self._trade(merchant, wish)
        again = book.find_refund(wish["out_request_no"]) is not None
        pending = self.channel.mischiefs.take(Mischief.REFUND_PENDING, number) is not None
        order = {
            "out_trade_no": number,
            "out_refund_no": wish["out_request_no"],
            "amount": {"refund": amount_fen(wish["refund_amount"]), "total": trade["fen"]},
            "notify_url": trade["notify_url"],
        }
        book.refund(merchant["mchid"], order, self.channel.now(), state="PROCESSING" if pending else "SUCCESS")
        return {"out_trade_no": number, "trade_no": trade["transaction_id"], "fund_change": "N" if again else "Y"}

    def _query_refund(self, merchant: Row, wish: Content, form: Mapping[str, str]) -> Content:
        del form
        trade = self._trade(merchant, wish)
        row = self.channel.book.find_refund(wish["out_request_no"])
        return {} if row is None else refund_told(row, trade)

    def _bill_address(self, merchant: Row, wish: Content, form: Mapping[str, str]) -> Content:
        del form
        take, day = self.channel.mischiefs.take, date.fromisoformat(wish["bill_date"])
        local = self.channel.now().astimezone(BEIJING)
        early = day >= local.date() or (day == local.date() - timedelta(days=1) and local.hour < 10)
        if early or take(Mischief.BILL_NOT_READY) is not None:
            raise Refusal("40004", "isp.bill_not_exist", "账单不存在")
        book, seller = self.channel.book, merchant["mchid"]
        if wish["bill_type"] == "trade":
            flaws = Flaws(
                rows_missing=take(Mischief.BILL_DROPS_ROW) or 0,
                rows_doubled=take(Mischief.BILL_DOUBLES_ROW) or 0,
                first_payment_fen=take(Mischief.BILL_WRONG_AMOUNT) or 0,
                total_fen=take(Mischief.BILL_WRONG_TOTAL) or 0,
            )
            raw = write_trades(book, seller, wish["bill_date"], flaws)
        else:
            raw = write_flows(book, seller, wish["bill_date"], take(Mischief.FLOW_DROPS_ROW) or 0)
        if raw is None:
            return {"bill_file_code": "EMPTY_DATA_WITH_BILL_FILE"}
        token = os.urandom(16).hex()
        self.channel.files[token] = raw
        host = "http://127.0.0.1:9" if take(Mischief.BILL_FOREIGN_HOST) is not None else self.channel.base_url
        return {"bill_download_url": f"{host}/bill?token={token}"}

    async def _download(self, request: Request) -> Response:
        raw = self.channel.files.get(request.query_params.get("token", ""))
        return Response(b"", 403) if raw is None else Response(raw, 200, {"Content-Type": "application/zip"})

    def _add_merchant(self, fields: Content) -> Content:
        self.channel.book.add_merchant({**fields, "serial": "", "api_key": ""})
        return {"public_pem": self.channel.key.public_pem()}

    def _pay(self, fields: Content) -> Content:
        book = self.channel.book
        number = (
            fields.get("number") or book.by_code(f"weixin://wxpay/bizpayurl?pr={fields['code_url'][25:]}")["number"]
        )
        row = book.pay(
            number, fields.get("payer", "2088000000000001"), self.channel.now(), late=bool(fields.get("late"))
        )
        told = self._notice(row, "trade_status_sync", order_told(row))
        lie = None
        take = self.channel.mischiefs.take
        add_fen = take(Mischief.NOTIFY_WRONG_AMOUNT, number)
        if add_fen is not None:
            lie = {**told, "total_amount": yuan(row["fen"] + add_fen), "notify_id": os.urandom(16).hex()}
        elif take(Mischief.NOTIFY_WRONG_MERCHANT, number) is not None:
            lie = {**told, "seller_id": "2088999999999999", "notify_id": os.urandom(16).hex()}
        elif take(Mischief.NOTIFY_WRONG_ORDER, number) is not None:
            lie = {**told, "out_trade_no": "GH20000101ZZZZZZZZZZZZZZ", "notify_id": os.urandom(16).hex()}
        self.messenger.announce(number, row["notify_url"], told, lie)
        return {"number": number, "transaction_id": row["transaction_id"], "fen": row["fen"], "paid_at": row["paid_at"]}

    def _finish_refund(self, fields: Content) -> Content:
        book = self.channel.book
        book.finish_refund(fields["number"], self.channel.now(), state=fields.get("state", "SUCCESS"))
        row = book.find_refund(fields["number"])
        if row is None:
            raise ChannelRefusalError(404, "REFUND_UNKNOWN", "退款不存在")
        trade = book.trade(row["mchid"], row["trade_number"])
        if trade is not None and row["notify_url"]:
            extra = {"out_biz_no": row["number"], "refund_fee": yuan(row["fen"])}
            told = self._notice(trade, "trade_status_sync", order_told(trade) | extra)
            self.messenger.announce(row["trade_number"], row["notify_url"], told, None)
        return {}

    def _withdraw(self, fields: Content) -> Content:
        return {"number": self.channel.book.withdraw(fields["mchid"], int(fields["fen"]), self.channel.now())}

    def _skew(self, fields: Content) -> Content:
        self.channel.skew_s = int(fields["seconds"])
        return {}

    def _notice(self, row: Row, kind: str, told: Content) -> dict[str, str]:
        merchant = self.channel.book.merchant(row["mchid"])
        paid = row["paid_at"][:19].replace("T", " ") if row["paid_at"] else ""
        flat = {name: value for name, value in told.items() if isinstance(value, str)}
        return flat | {
            "notify_id": datetime.now(UTC).strftime("%Y%m%d") + os.urandom(12).hex(),
            "notify_type": kind,
            "app_id": merchant["appid"] if merchant else "",
            "seller_id": row["mchid"],
            "subject": row["description"],
            "gmt_payment": paid,
            "charset": "utf-8",
            "version": "1.0",
            "fund_bill_list": json.dumps([{"amount": yuan(row["fen"]), "fundChannel": fund_channel(row)}]),
        }
