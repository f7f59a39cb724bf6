"""A thin asynchronous client of Alipay's gateway for one merchant account.

Every request is one signed form; every answer is believed only when the raw characters of its node are Alipay's. A page
payment calls nobody: its address carries the signed order. Bills are fetched without credentials, from Alipay's own
hosts only. It never repeats a call by itself and keeps no state between calls.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from typing_extensions import override

from cloud.payments.channel import Method
from cloud.payments.channels import calls
from cloud.payments.channels.alipay import files, messages, signing
from cloud.payments.channels.bill import BillRow, FlowRow
from cloud.payments.channels.provider import (
    Bill,
    EmptyDay,
    Freshness,
    Notice,
    NotReady,
    Order,
    OrderRef,
    OrderView,
    PlacedOrder,
    PromptKind,
    Provider,
    RefundOrder,
    RefundRef,
    RefundView,
    Refused,
    TradeBill,
    TradeState,
    Unknown,
    UnknownReason,
)
from cloud.payments.channels.times import beijing_text
from cloud.payments.channels.trust import DistrustedError, sign

GATEWAY_PATH = "/gateway.do"
_BILL_HOST = ".alipay.com"
_DONE, _PAYING = "10000", "10003"
_UNKNOWN_CODES = frozenset({"20000", "10003"})
_ASK_CODES = frozenset({"ACQ.SYSTEM_ERROR", "isp.unknow-error", "aop.ACQ.SYSTEM_ERROR"})
_SLOW_DOWN = frozenset({"isv.app-call-limited", "40005"})
_NO_TRADE = "ACQ.TRADE_NOT_EXIST"
_NO_BILL = frozenset({"isp.bill_not_exist", "BILL_NOT_EXIST"})
_EMPTY_BILL = "EMPTY_DATA_WITH_BILL_FILE"
_PAGES = {Method.PAGE: "alipay.trade.page.pay", Method.WAP: "alipay.trade.wap.pay"}
_View = TypeVar("_View")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlipayMerchant:
    """What Alipay knows of one merchant account; `numbers` are the certificate serials, empty in key mode."""

    seller_id: str
    app_id: str
    private_key: RSAPrivateKey = field(repr=False)
    channel_keys: tuple[RSAPublicKey, ...]
    numbers: Mapping[str, str] = field(default_factory=dict, hash=False)


class Alipay(Provider):
    """One merchant account at Alipay."""

    def __init__(
        self, http: httpx.AsyncClient, base_url: str, merchant: AlipayMerchant, machine_now_s: Callable[[], int]
    ) -> None:
        self._http = http
        self._gateway = httpx.URL(base_url).join(GATEWAY_PATH)
        self._merchant = merchant
        self._machine_now_s = machine_now_s

    @property
    @override
    def freshness(self) -> frozenset[Freshness]:
        return frozenset(Freshness)

    @property
    @override
    def acknowledgement(self) -> bytes:
        return b"success"

    @override
    async def place(self, order: Order) -> PlacedOrder | OrderView | Refused | Unknown:
        """Place an order; a page's address is made here, a shown code or an agreement may answer with the end."""
        content = messages.order_content(order)
        if order.method in _PAGES:
            form = self._form(_PAGES[order.method], content, order)
            return PlacedOrder(code_url=str(self._gateway.copy_merge_params(form)), kind=PromptKind.OPEN)
        if order.method is Method.PRECREATE:
            answer = await self._call("alipay.trade.precreate", content, order)
            return _read(answer, lambda fields: PlacedOrder(code_url=messages.word(fields, "qr_code")))
        answer = await self._call("alipay.trade.pay", content, order)
        if isinstance(answer, Refused) and answer.code == _PAYING:
            return PlacedOrder(code_url="", kind=PromptKind.WAIT)
        merchant = self._merchant
        return _read(answer, lambda fields: messages.read_code_payment(fields, merchant.seller_id, merchant.app_id))

    @override
    async def query(self, order: OrderRef) -> OrderView | Refused | Unknown:
        """Ask where an order stands; one whose code nobody scanned yet does not exist at Alipay and is not paid."""
        merchant = self._merchant
        answer = await self._call("alipay.trade.query", messages.order_question(order))
        if isinstance(answer, Refused) and answer.code == _NO_TRADE:
            return OrderView(
                merchant_number=merchant.seller_id,
                app_id=merchant.app_id,
                number=order.number,
                state=TradeState.NOT_PAID,
            )
        return _read(answer, lambda fields: messages.read_order(fields, merchant.seller_id, merchant.app_id))

    @override
    async def close(self, order: OrderRef) -> Refused | Unknown | None:
        """Close an order; one that nobody scanned is closed by its own time limit."""
        answer = await self._call("alipay.trade.close", messages.order_question(order))
        if isinstance(answer, Refused) and answer.code == _NO_TRADE:
            return None
        return answer if isinstance(answer, Refused | Unknown) else None

    @override
    async def reverse(self, order: OrderRef) -> Refused | Unknown | None:
        answer = await self._call("alipay.trade.cancel", messages.order_question(order))
        if isinstance(answer, Refused | Unknown):
            return answer
        if answer.get("retry_flag") == "Y":
            return Unknown(reason=UnknownReason.SERVER_ERROR, detail="the channel asks to reverse again")
        return None

    @override
    async def refund(self, order: RefundOrder) -> RefundView | Refused | Unknown:
        """Ask for a refund and then ask what became of it: `fund_change` alone proves nothing."""
        answer = await self._call("alipay.trade.refund", messages.refund_content(order))
        return answer if isinstance(answer, Refused | Unknown) else await self.query_refund(order.ref)

    @override
    async def query_refund(self, refund: RefundRef) -> RefundView | Refused | Unknown:
        answer = await self._call("alipay.trade.fastpay.refund.query", messages.refund_question(refund))
        view = _read(answer, lambda fields: messages.read_refund(fields, refund))
        missing = view is None or (isinstance(view, Refused) and view.code == _NO_TRADE)
        return (
            Refused(code="RESOURCE_NOT_EXISTS", detail="there is no such refund") if missing or view is None else view
        )

    @override
    async def trade_bill(self, day: date) -> Bill:
        return await self._bill(day, "trade")

    @override
    async def fund_bill(self, day: date) -> Bill:
        return await self._bill(day, "signcustomer")

    @override
    def open_notification(self, headers: Mapping[str, str], body: bytes) -> Notice:
        del headers
        fields = signing.read_form(body)
        signing.verify_form(fields, self._merchant.channel_keys)
        return messages.notice_of(fields, body, self._machine_now_s())

    @override
    def read_trade_bill(self, raw: bytes) -> tuple[BillRow, ...]:
        return files.read_trade_file(raw, self._merchant.seller_id)

    @override
    def read_fund_bill(self, raw: bytes) -> tuple[FlowRow, ...]:
        return files.read_fund_file(raw, self._merchant.seller_id)

    async def sign_page(self, content: Mapping[str, Any], notify_url: str, return_url: str) -> str:
        """Return the address where a payer agrees to deductions."""
        form = self._signed("alipay.user.agreement.page.sign", content, notify_url, return_url)
        return str(self._gateway.copy_merge_params(form))

    async def ask(self, method: str, content: Mapping[str, Any]) -> Mapping[str, Any] | Refused | Unknown:
        """Return the proven answer of another method of the gateway, such as those of agreements."""
        return await self._call(method, content)

    async def _bill(self, day: date, kind: str) -> Bill:
        content = {"bill_type": kind, "bill_date": day.isoformat()}
        answer = await self._call("alipay.data.dataservice.bill.downloadurl.query", content)
        if isinstance(answer, Refused) and answer.code in _NO_BILL:
            return NotReady(day=day)
        if isinstance(answer, Refused | Unknown):
            return answer
        if answer.get("bill_file_code") == _EMPTY_BILL:
            return EmptyDay(day=day)
        return await self._download(day, httpx.URL(str(answer.get("bill_download_url") or "")))

    async def _download(self, day: date, url: httpx.URL) -> Bill:
        if url.host != self._gateway.host and not (url.scheme == "https" and url.host.endswith(_BILL_HOST)):
            return Refused(code="FOREIGN_HOST", detail="the bill's address is not the channel's; nothing was fetched")
        request = self._http.build_request("GET", url, headers={"User-Agent": calls.USER_AGENT})
        response = await calls.send(self._http, request, calls.DOWNLOAD_S_MAX)
        if isinstance(response, Unknown):
            return response
        if response.status_code not in calls.SUCCESS or len(response.content) > calls.BILL_SIZE_MAX:
            return Unknown(reason=UnknownReason.SERVER_ERROR, detail=f"the file answered {response.status_code}")
        return TradeBill(day=day, raw=response.content, digest_compared="")

    async def _call(
        self, method: str, content: Mapping[str, Any], order: Order | None = None
    ) -> Mapping[str, Any] | Refused | Unknown:
        body = await calls.send_form(self._http, self._gateway, self._form(method, content, order))
        if isinstance(body, Unknown):
            return body
        try:
            answer = signing.extract(body.decode(), f"{method.replace('.', '_')}_response")
            signing.verify_answer(answer, self._merchant.channel_keys)
        except UnicodeDecodeError:
            return Unknown(reason=UnknownReason.UNREADABLE, detail="the answer is not UTF-8")
        except DistrustedError as error:
            return Unknown(reason=UnknownReason.FORGED, detail=str(error))
        return _sorted(messages.read_content(answer.content))

    def _form(self, method: str, content: Mapping[str, Any], order: Order | None) -> dict[str, str]:
        notify_url, return_url = (order.notify_url, order.return_url) if order else ("", "")
        return self._signed(method, content, notify_url, return_url)

    def _signed(self, method: str, content: Mapping[str, Any], notify_url: str, return_url: str) -> dict[str, str]:
        form = {
            "app_id": self._merchant.app_id,
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": signing.SIGN_TYPE,
            "timestamp": beijing_text(datetime.fromtimestamp(self._machine_now_s(), UTC)),
            "version": "1.0",
            "biz_content": json.dumps(content, ensure_ascii=False, separators=(",", ":")),
            **self._merchant.numbers,
        }
        form |= {name: url for name, url in (("notify_url", notify_url), ("return_url", return_url)) if url}
        form["sign"] = sign(self._merchant.private_key, signing.request_text(form).encode())
        return form


def _sorted(fields: Mapping[str, Any]) -> Mapping[str, Any] | Refused | Unknown:
    """Return the fields of a done answer, a final no, or why nothing is known."""
    code, sub_code = str(fields.get("code", "")), str(fields.get("sub_code") or "")
    detail = str(fields.get("sub_msg") or fields.get("msg") or "")
    if code == _DONE:
        return fields
    if code == _PAYING:
        return Refused(code=_PAYING, detail=detail)
    if sub_code in _SLOW_DOWN or code in _SLOW_DOWN:
        return Unknown(reason=UnknownReason.RATE_LIMITED, detail=sub_code)
    if code in _UNKNOWN_CODES or sub_code in _ASK_CODES:
        return Unknown(reason=UnknownReason.SERVER_ERROR, detail=sub_code or code)
    return Refused(code=sub_code or code, detail=detail)


def _read(
    answer: Mapping[str, Any] | Refused | Unknown, reader: Callable[[Mapping[str, Any]], _View]
) -> _View | Refused | Unknown:
    if isinstance(answer, Refused | Unknown):
        return answer
    try:
        return reader(answer)
    except DistrustedError as error:
        return Unknown(reason=UnknownReason.UNREADABLE, detail=str(error))
