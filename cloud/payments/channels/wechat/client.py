"""A thin asynchronous client of WeChat Pay APIv3 for one merchant account.

It signs the prepared request (raw path and body bytes as they will be sent), believes only answers the channel signed,
and sorts every end of a call into answer, refusal or unknown. It never repeats a call by itself, follows no redirect,
and attaches credentials to no other host: a bill is downloaded only from the channel's own address.

It must not write logs of bodies or keys, keep state between calls, or read any clock but the machine clock it is given.
"""

from __future__ import annotations

import hashlib
import hmac
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, TypeVar

import httpx
from typing_extensions import override

from cloud.payments.channel import Method
from cloud.payments.channels import calls
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
    Unknown,
    UnknownReason,
)
from cloud.payments.channels.trust import Distrust, DistrustedError, sign
from cloud.payments.channels.wechat import fund_bill, messages, trade_bill
from cloud.payments.channels.wechat.signing import (
    KeyRing,
    MerchantKey,
    authorization,
    check_api_key,
    invoke_message,
    request_message,
    verify_answer,
)

BILL_PATH = "/v3/billdownload/file"
_ORDERS = "/v3/pay/transactions"
_PLACE_PATHS = {
    Method.NATIVE: f"{_ORDERS}/native",
    Method.JSAPI: f"{_ORDERS}/jsapi",
    Method.H5: f"{_ORDERS}/h5",
    Method.CODE: f"{_ORDERS}/codepay",
    Method.DEDUCTION: "/v3/papay/pay/transactions/apply",
}
_ASK_CODES = frozenset({"SYSTEM_ERROR", "SYSTEMERROR", "FREQUENCY_LIMITED", "FREQUENCY_LIMIT_EXCEED", "BANK_ERROR"})
_PAYING_CODES = frozenset({"USERPAYING", "USER_PAYING"})
_NO_SUCH_CODES = frozenset({"ORDER_NOT_EXIST", "ORDERNOTEXIST"})
_SERVER_ERROR = 500
_TOO_MANY = 429
_View = TypeVar("_View")


@dataclass(frozen=True, slots=True, kw_only=True)
class Merchant:
    """What the channel knows of one merchant account, and the secrets that prove we are it."""

    key: MerchantKey
    app_id: str
    ring: KeyRing
    api_key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse an APIv3 key of the wrong size when the account is configured, not when money arrives."""
        check_api_key(self.api_key)


class WeChatPay(Provider):
    """One merchant account at WeChat Pay."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        base_url: str,
        merchant: Merchant,
        machine_now_s: Callable[[], int],
        new_nonce: Callable[[], str],
    ) -> None:
        self._http = http
        self._base = httpx.URL(base_url)
        self._merchant = merchant
        self._machine_now_s = machine_now_s
        self._new_nonce = new_nonce

    @property
    def app_id(self) -> str:
        """Return the application under which we ask."""
        return self._merchant.app_id

    @property
    @override
    def freshness(self) -> frozenset[Freshness]:
        return frozenset(Freshness)

    @property
    @override
    def acknowledgement(self) -> bytes:
        return b""

    @override
    async def place(self, order: Order) -> PlacedOrder | OrderView | Refused | Unknown:
        """Place an order: a code to scan lives two hours, an H5 address five minutes; a scanned code ends at once."""
        body = messages.order_body(order, self._merchant.key.merchant_number, self._merchant.app_id)
        answer = await self.call("POST", _PLACE_PATHS[order.method], body)
        if isinstance(answer, Refused) and answer.code in _PAYING_CODES and order.method is Method.CODE:
            return PlacedOrder(code_url="", kind=PromptKind.WAIT)
        if isinstance(answer, Refused) and order.method is Method.CODE and answer.code in _NO_SUCH_CODES:
            return Unknown(reason=UnknownReason.SERVER_ERROR, detail=answer.code)  # not found is not unpaid
        placed = read(answer, lambda fields: messages.read_placed(fields, order.method))
        if isinstance(placed, PlacedOrder) and placed.kind is PromptKind.INVOKE:
            return replace(placed, fields=self._invocation(placed.code_url))
        return placed

    @override
    async def query(self, order: OrderRef) -> OrderView | Refused | Unknown:
        path = f"{_ORDERS}/out-trade-no/{order.number}?mchid={self._merchant.key.merchant_number}"
        return read(await self.call("GET", path), messages.read_order)

    @override
    async def close(self, order: OrderRef) -> Refused | Unknown | None:
        body = messages.close_body(self._merchant.key.merchant_number)
        answer = await self.call("POST", f"{_ORDERS}/out-trade-no/{order.number}/close", body)
        return None if isinstance(answer, bytes) else answer

    @override
    async def reverse(self, order: OrderRef) -> Refused | Unknown | None:
        body = messages.reverse_body(self._merchant.key.merchant_number, self._merchant.app_id)
        answer = await self.call("POST", f"{_ORDERS}/out-trade-no/{order.number}/reverse", body)
        return None if isinstance(answer, bytes) else answer

    @override
    async def refund(self, order: RefundOrder) -> RefundView | Refused | Unknown:
        return read(
            await self.call("POST", "/v3/refund/domestic/refunds", messages.refund_body(order)), messages.read_refund
        )

    @override
    async def query_refund(self, refund: RefundRef) -> RefundView | Refused | Unknown:
        return read(await self.call("GET", f"/v3/refund/domestic/refunds/{refund.number}"), messages.read_refund)

    @override
    async def trade_bill(self, day: date) -> Bill:
        return await self._bill(day, f"/v3/bill/tradebill?bill_date={day.isoformat()}&bill_type=ALL")

    @override
    async def fund_bill(self, day: date) -> Bill:
        return await self._bill(day, f"/v3/bill/fundflowbill?bill_date={day.isoformat()}&account_type=BASIC")

    @override
    def open_notification(self, headers: Mapping[str, str], body: bytes) -> Notice:
        merchant = self._merchant
        notice = messages.notice_of(
            messages.open_notification(headers, body, merchant.ring, merchant.api_key, self._machine_now_s())
        )
        if notice.view is None and not (notice.refund_number or notice.agreement_number):
            raise DistrustedError(Distrust.UNREADABLE, "the notification is about nothing that we asked for")
        return notice

    @override
    def read_trade_bill(self, raw: bytes) -> tuple[BillRow, ...]:
        return trade_bill.read_trade_bill(raw, self._merchant.key.merchant_number).rows

    @override
    def read_fund_bill(self, raw: bytes) -> tuple[FlowRow, ...]:
        return fund_bill.read_fund_bill(raw)

    def _invocation(self, prepay_id: str) -> dict[str, str]:
        """Return what the bridge inside WeChat is handed, signed."""
        timestamp, nonce = str(self._machine_now_s()), self._new_nonce()
        signed = invoke_message(self._merchant.app_id, timestamp, nonce, prepay_id)
        return {
            "appId": self._merchant.app_id,
            "timeStamp": timestamp,
            "nonceStr": nonce,
            "package": f"prepay_id={prepay_id}",
            "signType": "RSA",
            "paySign": sign(self._merchant.key.private_key, signed),
        }

    async def _bill(self, day: date, path: str) -> Bill:
        """Ask for the address of a day's file, then fetch it and compare its digest."""
        answer = await self.call("GET", path)
        if isinstance(answer, Refused) and answer.code == "NO_STATEMENT_EXIST":
            return EmptyDay(day=day)
        if isinstance(answer, Refused) and answer.code == "STATEMENT_CREATING":
            return NotReady(day=day)
        address = read(answer, _bill_address)
        return await self._download(day, *address) if isinstance(address, tuple) else address

    async def _download(self, day: date, url_text: str, digest: str) -> TradeBill | Unknown | Refused:
        url = httpx.URL(url_text)
        if (url.scheme, url.host, url.port) != (self._base.scheme, self._base.host, self._base.port):
            return Refused(code="FOREIGN_HOST", detail="the bill's address is not the channel's; nothing was sent")
        if url.path != BILL_PATH:
            return Refused(code="FOREIGN_PATH", detail="the bill's address has another path; nothing was sent")
        response = await calls.send(self._http, self._prepare("GET", url, b""), calls.DOWNLOAD_S_MAX)
        if isinstance(response, Unknown):
            return response
        if response.status_code not in calls.SUCCESS:
            return _sort_failure(response)
        raw = _unpacked(response.content)
        if raw is None or not hmac.compare_digest(hashlib.sha1(raw, usedforsecurity=False).hexdigest(), digest.lower()):
            return Unknown(reason=UnknownReason.FORGED, detail="the bill's digest is not the one announced")
        return TradeBill(day=day, raw=raw, digest_compared=digest.lower())

    async def call(self, method: str, path: str, body: bytes = b"") -> bytes | Refused | Unknown:
        """Call the channel and return the body of an answer that it signed."""
        response = await calls.send(self._http, self._prepare(method, self._base.join(path), body))
        if isinstance(response, Unknown):
            return response
        if response.status_code not in calls.SUCCESS:
            return _sort_failure(response)
        if len(response.content) > calls.ANSWER_SIZE_MAX:
            return Unknown(reason=UnknownReason.UNREADABLE, detail="the answer is larger than any the channel gives")
        try:
            verify_answer(response.headers, response.content, self._merchant.ring, self._machine_now_s())
        except DistrustedError as error:
            return Unknown(reason=UnknownReason.FORGED, detail=str(error))
        return response.content

    def _prepare(self, method: str, url: httpx.URL, body: bytes) -> httpx.Request:
        request = self._http.build_request(method, url, content=body or None)
        timestamp, nonce = str(self._machine_now_s()), self._new_nonce()
        signed = request_message(method, request.url.raw_path.decode(), timestamp, nonce, body)
        signature = sign(self._merchant.key.private_key, signed)
        request.headers.update(
            {
                "Accept": "application/json",
                "User-Agent": calls.USER_AGENT,
                "Wechatpay-Serial": self._merchant.ring.newest,
                "Authorization": authorization(self._merchant.key, timestamp, nonce, signature),
            }
        )
        if body:
            request.headers["Content-Type"] = "application/json; charset=utf-8"
        return request


def read(answer: bytes | Refused | Unknown, reader: Callable[[Mapping[str, Any]], _View]) -> _View | Refused | Unknown:
    """Return what an answer says; one that cannot be read is unknown."""
    if not isinstance(answer, bytes):
        return answer
    try:
        return reader(messages.read_fields(answer))
    except DistrustedError as error:
        return Unknown(reason=UnknownReason.UNREADABLE, detail=str(error))


def _bill_address(fields: Mapping[str, Any]) -> tuple[str, str]:
    return messages.text(fields, "download_url"), messages.text(fields, "hash_value")


def _sort_failure(response: httpx.Response) -> Refused | Unknown:
    if response.status_code == _TOO_MANY:
        return Unknown(reason=UnknownReason.RATE_LIMITED, detail="the channel asks us to slow down")
    if response.status_code >= _SERVER_ERROR:
        return Unknown(reason=UnknownReason.SERVER_ERROR, detail=f"the channel answered {response.status_code}")
    try:
        fields = messages.read_fields(response.content[: calls.ANSWER_SIZE_MAX])
        code = messages.text(fields, "code")
    except DistrustedError:
        return Unknown(
            reason=UnknownReason.UNREADABLE, detail=f"the channel answered {response.status_code} unreadably"
        )
    if code in _ASK_CODES:
        return Unknown(reason=UnknownReason.SERVER_ERROR, detail=code)
    return Refused(code=code, detail=str(fields.get("message", "")))


def _unpacked(content: bytes) -> bytes | None:
    """Return the file as the digest sees it: uncompressed, and bounded; None when it is damaged or too large."""
    if not content.startswith(b"\x1f\x8b"):
        return content if len(content) <= calls.BILL_SIZE_MAX else None
    unpacker = zlib.decompressobj(wbits=31)
    try:
        raw = unpacker.decompress(content, calls.BILL_SIZE_MAX)
    except zlib.error:
        return None
    return raw if unpacker.eof else None
