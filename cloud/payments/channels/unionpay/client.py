"""A thin asynchronous client of UnionPay 5.1.0 for one merchant account.

An order's own time limit closes it: the interface has no closing. Only the result code inside the answer to a question
decides; the codes 03, 04 and 05 mean that it is not decided yet. It never repeats a call by itself, keeps no state
between calls, and believes only what UnionPay's own certificate signed.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TypeVar

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from typing_extensions import override

from cloud.payments.channel import Method
from cloud.payments.channels import calls
from cloud.payments.channels.bill import BillRow, FlowRow
from cloud.payments.channels.provider import (
    Bill,
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
    RefundState,
    RefundView,
    Refused,
    TradeBill,
    TradeState,
    Unknown,
    UnknownReason,
)
from cloud.payments.channels.times import COMPACT, beijing_text
from cloud.payments.channels.trust import Distrust, DistrustedError, sign
from cloud.payments.channels.unionpay import files, messages, signing
from cloud.payments.channels.unionpay.signing import Authorities

FRONT_PATH = "/gateway/api/frontTransReq.do"
BACK_PATH = "/gateway/api/backTransReq.do"
QUERY_PATH = "/gateway/api/queryTrans.do"
_NOT_FOUND, _NO_FILE = "34", "98"
_View = TypeVar("_View")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnionPayMerchant:
    """What UnionPay knows of one merchant account, and whom we believe that he is UnionPay."""

    merchant_number: str
    certificate_id: str
    private_key: RSAPrivateKey = field(repr=False)
    authorities: Authorities = field(hash=False)


class UnionPay(Provider):
    """One merchant account at UnionPay."""

    def __init__(
        self, http: httpx.AsyncClient, base_url: str, merchant: UnionPayMerchant, machine_now_s: Callable[[], int]
    ) -> None:
        self._http = http
        self._base = httpx.URL(base_url)
        self._merchant = merchant
        self._machine_now_s = machine_now_s

    @property
    @override
    def freshness(self) -> frozenset[Freshness]:
        return frozenset()

    @property
    @override
    def acknowledgement(self) -> bytes:
        return b"ok"

    @override
    async def place(self, order: Order) -> PlacedOrder | OrderView | Refused | Unknown:
        """Place an order: the gateway's form is made here, a code is asked for, a shown code is asked about later."""
        fields = self._signed(messages.order_fields(order))
        if order.method is Method.GATEWAY:
            return PlacedOrder(code_url=str(self._base.join(FRONT_PATH)), kind=PromptKind.SUBMIT, fields=fields)
        answer = await self._call(BACK_PATH, fields)
        if order.method is Method.CODE and isinstance(answer, Mapping):
            return PlacedOrder(code_url="", kind=PromptKind.WAIT)
        return _read(answer, lambda told: PlacedOrder(code_url=messages.word(told, "qrCode")))

    @override
    async def query(self, order: OrderRef) -> OrderView | Refused | Unknown:
        """Ask where an order stands; one that nobody began to pay does not exist at UnionPay and is not paid."""
        answer = await self._ask(order.number, order.made_at)
        if isinstance(answer, Refused) and answer.code == _NOT_FOUND:
            return OrderView(
                merchant_number=self._merchant.merchant_number,
                app_id="",
                number=order.number,
                state=TradeState.NOT_PAID,
            )
        return _read(answer, lambda told: messages.read_order(told, messages.word(told, "origRespCode")))

    @override
    async def close(self, order: OrderRef) -> Refused | Unknown | None:
        """Nothing is sent: after `payTimeout` UnionPay takes no payment of the order."""
        return None

    @override
    async def reverse(self, order: OrderRef) -> Refused | Unknown | None:
        answer = await self._call(BACK_PATH, self._signed(messages.reverse_fields(order.number, order.made_at)))
        if isinstance(answer, Refused) and answer.code == _NOT_FOUND:
            return None
        return answer if isinstance(answer, Refused | Unknown) else None

    @override
    async def refund(self, order: RefundOrder) -> RefundView | Refused | Unknown:
        """Ask for a refund; `00` says that it was taken on, only a question says that it is done."""
        answer = await self._call(BACK_PATH, self._signed(messages.refund_fields(order)))
        return _read(
            answer,
            lambda told: RefundView(
                order_number=order.order_number,
                refund_number=messages.word(told, "orderId"),
                refund_id=messages.word(told, "queryId"),
                state=RefundState.PROCESSING,
                amount_fen=messages.fen(told, "txnAmt"),
                currency=order.currency,
            ),
        )

    @override
    async def query_refund(self, refund: RefundRef) -> RefundView | Refused | Unknown:
        answer = await self._ask(refund.number, refund.made_at)
        if isinstance(answer, Refused) and answer.code == _NOT_FOUND:
            return Refused(code="RESOURCE_NOT_EXISTS", detail="there is no such refund")
        return _read(answer, lambda told: messages.read_refund(told, messages.word(told, "origRespCode"), refund))

    @override
    async def trade_bill(self, day: date) -> Bill:
        """Fetch the file of a settlement day; it comes inside the signed answer."""
        fields = {
            "txnType": "76",
            "txnSubType": "01",
            "bizType": "000000",
            "fileType": "00",
            "settleDate": f"{day:%m%d}",
            "txnTime": beijing_text(datetime.fromtimestamp(self._machine_now_s(), UTC), COMPACT),
        }
        address = self._base.copy_with(host=self._base.host.replace("gateway.", "filedownload.", 1)).join("/")
        answer = await self._call(str(address), self._signed(fields), size_max=calls.BILL_SIZE_MAX)
        if isinstance(answer, Refused) and answer.code == _NO_FILE:
            return NotReady(day=day)
        return _read(
            answer,
            lambda told: TradeBill(
                day=day, raw=b64decode(messages.word(told, "fileContent"), validate=True), digest_compared=""
            ),
        )

    @override
    async def fund_bill(self, day: date) -> Bill:
        """Fetch the same file: it says fee and net of every trade."""
        return await self.trade_bill(day)

    @override
    def open_notification(self, headers: Mapping[str, str], body: bytes) -> Notice:
        del headers
        fields = signing.read_form(body)
        signing.verify(fields, self._merchant.authorities, self._machine_now_s())
        if fields.get("merId") != self._merchant.merchant_number:
            raise DistrustedError(Distrust.OTHER_MERCHANT, "the notification is for another merchant")
        return messages.notice_of(fields, body)

    @override
    def read_trade_bill(self, raw: bytes) -> tuple[BillRow, ...]:
        return files.read_trade_file(raw, self._merchant.merchant_number)

    @override
    def read_fund_bill(self, raw: bytes) -> tuple[FlowRow, ...]:
        return files.read_fund_file(raw, self._merchant.merchant_number)

    async def _ask(self, number: str, made_at: datetime) -> Mapping[str, str] | Refused | Unknown:
        return await self._call(QUERY_PATH, self._signed(messages.question_fields(number, made_at)))

    async def _call(
        self, path: str, fields: dict[str, str], size_max: int = calls.ANSWER_SIZE_MAX
    ) -> Mapping[str, str] | Refused | Unknown:
        body = await calls.send_form(self._http, self._base.join(path), fields, size_max=size_max)
        if isinstance(body, Unknown):
            return body
        try:
            told = signing.read_answer(body)
            signing.verify(told, self._merchant.authorities, self._machine_now_s())
        except DistrustedError as error:
            return Unknown(reason=UnknownReason.FORGED, detail=str(error))
        code = told.get("respCode", "")
        if code in messages.UNDECIDED:
            return Unknown(reason=UnknownReason.SERVER_ERROR, detail=code)
        return told if code == messages.DONE else Refused(code=code, detail=told.get("respMsg", ""))

    def _signed(self, fields: Mapping[str, str]) -> dict[str, str]:
        whole = {
            "version": "5.1.0",
            "encoding": "UTF-8",
            "signMethod": signing.SIGN_METHOD,
            "certId": self._merchant.certificate_id,
            "accessType": "0",
            "merId": self._merchant.merchant_number,
            **fields,
        }
        return whole | {"signature": sign(self._merchant.private_key, signing.digest(whole).encode())}


def _read(
    answer: Mapping[str, str] | Refused | Unknown, reader: Callable[[Mapping[str, str]], _View]
) -> _View | Refused | Unknown:
    if isinstance(answer, Refused | Unknown):
        return answer
    try:
        return reader(answer)
    except (DistrustedError, ValueError) as error:
        return Unknown(reason=UnknownReason.UNREADABLE, detail=str(error))
