"""A thin asynchronous client of WeChat Pay APIv3 for one merchant account.

It signs the prepared request (raw path and body bytes as they will be sent), believes only answers the channel signed,
and sorts every end of a call into answer, refusal or unknown. It never repeats a call by itself, follows no redirect,
and attaches credentials to no other host: a bill is downloaded only from the channel's own address.

It must not write logs of bodies or keys, keep state between calls, or read any clock but the machine clock it is given.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

import httpx

from cloud.payments.channels.provider import (
    EmptyDay,
    NotReady,
    Order,
    OrderView,
    PlacedOrder,
    RefundOrder,
    RefundView,
    Refused,
    TradeBill,
    Unknown,
    UnknownReason,
)
from cloud.payments.channels.wechat import messages
from cloud.payments.channels.wechat.signing import (
    DistrustedError,
    KeyRing,
    MerchantKey,
    authorization,
    check_api_key,
    request_message,
    sign,
    verify_answer,
)

CALL_S_MAX = 12
ANSWER_SIZE_MAX = 256 * 1024
BILL_SIZE_MAX = 512 * 1024 * 1024
BILL_PATH = "/v3/billdownload/file"
USER_AGENT = "gatehouse/1 (property fees)"
_DOWNLOAD_S_MAX = 120
_ASK_CODES = frozenset({"SYSTEM_ERROR", "SYSTEMERROR", "FREQUENCY_LIMITED", "FREQUENCY_LIMIT_EXCEED", "BANK_ERROR"})
_SERVER_ERROR = 500
_TOO_MANY = 429
_SUCCESS = range(200, 300)
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


class WeChatPay:
    """One merchant account at WeChat Pay; implements the `Provider` port."""

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

    async def place(self, order: Order) -> PlacedOrder | Refused | Unknown:
        """Place a Native order and return the code the payer scans (it lives two hours)."""
        body = messages.order_body(order, self._merchant.key.merchant_number, self._merchant.app_id)
        answer = await self._call("POST", "/v3/pay/transactions/native", body)
        return _read(answer, lambda fields: PlacedOrder(code_url=messages.text(fields, "code_url")))

    async def query(self, number: str) -> OrderView | Refused | Unknown:
        """Ask where an order stands."""
        path = f"/v3/pay/transactions/out-trade-no/{number}?mchid={self._merchant.key.merchant_number}"
        return _read(await self._call("GET", path), messages.read_order)

    async def close(self, number: str) -> Refused | Unknown | None:
        """Close an unpaid order; None when the channel closed it."""
        body = messages.close_body(self._merchant.key.merchant_number)
        answer = await self._call("POST", f"/v3/pay/transactions/out-trade-no/{number}/close", body)
        return None if isinstance(answer, bytes) else answer

    async def refund(self, order: RefundOrder) -> RefundView | Refused | Unknown:
        """Ask for a refund; accepted is not arrived."""
        return _read(
            await self._call("POST", "/v3/refund/domestic/refunds", messages.refund_body(order)), messages.read_refund
        )

    async def query_refund(self, refund_number: str) -> RefundView | Refused | Unknown:
        """Ask where a refund stands."""
        return _read(await self._call("GET", f"/v3/refund/domestic/refunds/{refund_number}"), messages.read_refund)

    async def trade_bill(self, day: date) -> TradeBill | EmptyDay | NotReady | Refused | Unknown:
        """Ask for the address of a day's bill, then fetch it and compare its digest."""
        answer = await self._call("GET", f"/v3/bill/tradebill?bill_date={day.isoformat()}&bill_type=ALL")
        if isinstance(answer, Refused) and answer.code == "NO_STATEMENT_EXIST":
            return EmptyDay(day=day)
        if isinstance(answer, Refused) and answer.code == "STATEMENT_CREATING":
            return NotReady(day=day)
        address = _read(answer, _bill_address)
        return await self._download(day, *address) if isinstance(address, tuple) else address

    async def _download(self, day: date, url_text: str, digest: str) -> TradeBill | Unknown | Refused:
        url = httpx.URL(url_text)
        if (url.scheme, url.host, url.port) != (self._base.scheme, self._base.host, self._base.port):
            return Refused(code="FOREIGN_HOST", detail="the bill's address is not the channel's; nothing was sent")
        if url.path != BILL_PATH:
            return Refused(code="FOREIGN_PATH", detail="the bill's address has another path; nothing was sent")
        try:
            async with asyncio.timeout(_DOWNLOAD_S_MAX):
                response = await self._http.send(self._prepare("GET", url, b""), follow_redirects=False)
        except (httpx.HTTPError, TimeoutError) as error:
            return _lost(error)
        if response.status_code not in _SUCCESS:
            return _sort_failure(response)
        raw = _unpacked(response.content)
        if raw is None or not hmac.compare_digest(hashlib.sha1(raw, usedforsecurity=False).hexdigest(), digest.lower()):
            return Unknown(reason=UnknownReason.FORGED, detail="the bill's digest is not the one announced")
        return TradeBill(day=day, raw=raw, digest_compared=digest.lower())

    async def _call(self, method: str, path: str, body: bytes = b"") -> bytes | Refused | Unknown:
        request = self._prepare(method, self._base.join(path), body)
        try:
            async with asyncio.timeout(CALL_S_MAX):
                response = await self._http.send(request, follow_redirects=False)
        except (httpx.HTTPError, TimeoutError) as error:
            return _lost(error)
        if response.status_code not in _SUCCESS:
            return _sort_failure(response)
        if len(response.content) > ANSWER_SIZE_MAX:
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
                "User-Agent": USER_AGENT,
                "Wechatpay-Serial": self._merchant.ring.newest,
                "Authorization": authorization(self._merchant.key, timestamp, nonce, signature),
            }
        )
        if body:
            request.headers["Content-Type"] = "application/json; charset=utf-8"
        return request


def _read(answer: bytes | Refused | Unknown, reader: Callable[[Mapping[str, Any]], _View]) -> _View | Refused | Unknown:
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
        fields = messages.read_fields(response.content[:ANSWER_SIZE_MAX])
        code = messages.text(fields, "code")
    except DistrustedError:
        return Unknown(
            reason=UnknownReason.UNREADABLE, detail=f"the channel answered {response.status_code} unreadably"
        )
    if code in _ASK_CODES:
        return Unknown(reason=UnknownReason.SERVER_ERROR, detail=code)
    return Refused(code=code, detail=str(fields.get("message", "")))


def _lost(error: Exception) -> Unknown:
    timed_out = isinstance(error, TimeoutError | httpx.TimeoutException)
    reason = UnknownReason.TIMEOUT if timed_out else UnknownReason.UNREACHABLE
    return Unknown(reason=reason, detail=type(error).__name__)


def _unpacked(content: bytes) -> bytes | None:
    """Return the file as the digest sees it: uncompressed, and bounded; None when it is damaged or too large."""
    if not content.startswith(b"\x1f\x8b"):
        return content if len(content) <= BILL_SIZE_MAX else None
    unpacker = zlib.decompressobj(wbits=31)
    try:
        raw = unpacker.decompress(content, BILL_SIZE_MAX)
    except zlib.error:
        return None
    return raw if unpacker.eof else None
