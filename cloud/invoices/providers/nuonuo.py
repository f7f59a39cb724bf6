"""Invoices through Nuonuo's open platform (诺税通), which hands them to the tax administration.

Four of its calls: requestBillingNew, queryInvoiceResult, saveInvoiceRedConfirm and queryInvoiceRedConfirm. Each is
signed: HMAC-SHA1 over path, key, call id, nonce, time and the body exactly as it is sent. The platform keeps our order
numbers, so a lost answer is looked up by its number and never handed over again. It must not log titles, keep rows, or
read a clock but the machine clock it is given.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import httpx

from cloud.invoices.providers.values import (
    AskOutcome,
    BlueOrder,
    NeverCame,
    Numbered,
    Pending,
    RedOrder,
    SendOutcome,
    Taken,
)
from cloud.invoices.values import InvoiceKind, InvoiceLine, RedReason, TitleKind
from cloud.kit.calls import Later, Refused, Unknown, call
from common.errors import RefusalError
from common.money.amount import MICRO, format_minor, parse_scaled

CALL_S_MAX = 15
ANSWER_BYTES_MAX = 256 * 1024
ISSUE = "nuonuo.OpeMplatform.requestBillingNew"
QUERY = "nuonuo.OpeMplatform.queryInvoiceResult"
APPLY_RED = "nuonuo.OpeMplatform.saveInvoiceRedConfirm"
QUERY_RED = "nuonuo.OpeMplatform.queryInvoiceRedConfirm"
_OK, _NONE, _DOUBLED = "E0000", "E9500", "E9106"
_NOT_US = frozenset({"070101", "070301", "070302", "070303", "070304", "070305", "070306", "070307"})
_ISSUED, _FAILED, _VOID = "2", "22", frozenset({"3", "31"})
_KINDS = {InvoiceKind.ORDINARY: "pc", InvoiceKind.SPECIAL: "bs"}
_REASONS = {RedReason.RETURNED: "1", RedReason.WRONG: "2", RedReason.STOPPED: "3", RedReason.ALLOWANCE: "4"}
_WAITS_FOR_BUYER = "02"
_DEAD_FORMS = {
    "05": "购方否认 the buyer denied it",
    "06": "销方否认 the seller denied it",
    "07": "超 72 小时未确认 not confirmed within 72 hours",
    "08": "发起方已撤销 withdrawn",
    "09": "确认后撤销 withdrawn after it was confirmed",
    "16": "申请失败 the application failed",
}
_GMT8 = timezone(timedelta(hours=8))
_MARGIN_S = 600
_REASON_LENGTH_MAX = 200
_NONCE_LOW, _NONCE_SPAN = 10_000_000, 90_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NuonuoAccount:
    """Who we are at the platform: application and seller."""

    app_key: str
    secret: str = field(repr=False)
    tax_number: str
    seller: str
    drawer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NuonuoUrls:
    """Where the platform answers, and where it gives out access tokens."""

    services: str = "https://sdk.nuonuo.com/open/v1/services"
    token: str = "https://open.nuonuo.com/accessToken"  # noqa: S105 - an address


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    text: str
    until_s: int


def signature(account: NuonuoAccount, call_id: str, nonce: str, at_s: int, body: str) -> str:
    """Return the platform's signature of a call."""
    said = f"a=services&l=v1&p=open&k={account.app_key}&i={call_id}&n={nonce}&t={at_s}&f={body}"
    return base64.b64encode(hmac.digest(account.secret.encode(), said.encode(), hashlib.sha1)).decode()


class Nuonuo:
    """The client of one seller; it keeps its access token until shortly before its end."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        urls: NuonuoUrls,
        account: NuonuoAccount,
        machine_now_s: Callable[[], int],
        new_nonce: Callable[[], str],
    ) -> None:
        self._http = http
        self._urls = urls
        self._account = account
        self._machine_now_s = machine_now_s
        self._new_nonce = new_nonce
        self._token: _Token | None = None

    async def issue(self, order: BlueOrder) -> SendOutcome:
        """Hand an invoice over, once."""
        title = order.title
        told = await self._call(
            ISSUE,
            {
                "order": {
                    "orderNo": order.number,
                    "invoiceDate": order.at.astimezone(_GMT8).strftime("%Y-%m-%d %H:%M:%S"),
                    "invoiceType": "1",
                    "invoiceLine": _KINDS[order.kind],
                    "salerTaxNum": self._account.tax_number,
                    "buyerName": title.name,
                    "buyerTaxNum": title.tax_number,
                    "naturalPersonFlag": "1" if title.kind is TitleKind.PERSON else "0",
                    "email": title.email,
                    "pushMode": "0" if title.email else "-1",
                    "clerk": self._account.drawer,
                    "remark": order.remark,
                    "invoiceDetail": [_detail(line) for line in order.lines],
                }
            },
        )
        return _sent(told, lambda result: str(result.get("invoiceSerialNum", "")) if isinstance(result, dict) else "")

    async def ask(self, number: str) -> AskOutcome:
        """Return what became of an invoice, found by our number."""
        return await self._result({"orderNos": [number], "isOfferInvoiceDetail": "0"}, sign=1)

    async def take_back(self, order: RedOrder) -> SendOutcome:
        """Apply for a red letter, once; a whole one names no lines."""
        lines = () if order.whole else order.lines
        wish = {
            "billId": order.number,
            "blueInvoiceLine": _KINDS[order.kind],
            "applySource": "0",
            "blueElecInvoiceNumber": order.blue_number,
            "sellerTaxNo": self._account.tax_number,
            "sellerName": self._account.seller,
            "buyerTaxNo": order.title.tax_number,
            "buyerName": order.title.name,
            "redReason": _REASONS[order.reason],
            "email": order.title.email,
            "detail": [_red_detail(line) for line in lines],
        }
        return _sent(await self._call(APPLY_RED, wish), str)

    async def ask_red(self, number: str) -> AskOutcome:
        """Return what became of a red letter: of its form, and once it is issued of the red invoice."""
        told = await self._call(QUERY_RED, {"identity": "0", "billId": number})
        if isinstance(told, Later | Unknown):
            return Unknown(reason=told.reason)
        if told.get("code") != _OK:
            return Unknown(reason=_said(told))
        result = told.get("result")
        holder: Mapping[str, Any] = result if isinstance(result, dict) else told
        forms = [one for one in holder.get("list") or [] if isinstance(one, dict) and one.get("billId") == number]
        if not forms:
            return NeverCame()
        return await self._form(forms[0])

    async def _form(self, form: Mapping[str, Any]) -> AskOutcome:
        state, serial = str(form.get("billStatus", "")), str(form.get("invoiceSerialNum") or "")
        if state in _DEAD_FORMS:
            return Refused(reason=str(form.get("billMessage") or _DEAD_FORMS[state])[:_REASON_LENGTH_MAX])
        if not serial:
            return Pending(reference=str(form.get("billNo") or ""), needs_buyer=state == _WAITS_FOR_BUYER)
        found = await self._result({"serialNos": [serial], "isOfferInvoiceDetail": "0"}, sign=-1)
        return Pending(reference=serial) if isinstance(found, NeverCame) else found

    async def _result(self, question: Mapping[str, Any], *, sign: int) -> AskOutcome:
        told = await self._call(QUERY, question)
        if isinstance(told, Later | Unknown):
            return Unknown(reason=told.reason)
        if told.get("code") == _NONE:
            return NeverCame()
        if told.get("code") != _OK:
            return Unknown(reason=_said(told))
        rows = told.get("result")
        if not isinstance(rows, list) or not rows:
            return NeverCame()
        return _became(rows[0], sign) if isinstance(rows[0], dict) else Unknown(reason="the answer is no invoice")

    async def _call(self, method: str, content: Mapping[str, Any]) -> dict[str, Any] | Later | Unknown:
        """Call once; a token that had run out is renewed, because nothing was done with it."""
        token = await self._access_token()
        if not isinstance(token, str):
            return token
        told = await self._post(token, method, content)
        if isinstance(told, dict) and told.get("code") in _NOT_US:
            self._token = None
            return Later(reason=_said(told))
        return told

    async def _post(self, token: str, method: str, content: Mapping[str, Any]) -> dict[str, Any] | Later | Unknown:
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        call_id, at_s = self._new_nonce(), self._machine_now_s()
        nonce = str(_NONCE_LOW + int.from_bytes(call_id.encode()) % _NONCE_SPAN)
        request = self._http.build_request(
            "POST",
            self._urls.services,
            params={"senid": call_id, "nonce": nonce, "timestamp": str(at_s), "appkey": self._account.app_key},
            content=body.encode(),
            headers={
                "Content-Type": "application/json; charset=UTF-8",
                "X-Nuonuo-Sign": signature(self._account, call_id, nonce, at_s, body),
                "accessToken": token,
                "userTax": self._account.tax_number,
                "method": method,
            },
        )
        return await self._answered(request)

    async def _answered(self, request: httpx.Request) -> dict[str, Any] | Later | Unknown:
        return await call(self._http, request, seconds=CALL_S_MAX, bytes_max=ANSWER_BYTES_MAX)

    async def _access_token(self) -> str | Later:
        now_s = self._machine_now_s()
        if self._token is not None and now_s < self._token.until_s:
            return self._token.text
        form = {
            "client_id": self._account.app_key,
            "client_secret": self._account.secret,
            "grant_type": "client_credentials",
        }
        told = await self._answered(self._http.build_request("POST", self._urls.token, data=form))
        if isinstance(told, Later | Unknown):
            return Later(reason=f"no access token: {told.reason}")
        text, lives_s = told.get("access_token"), str(told.get("expires_in", ""))
        if not isinstance(text, str) or not lives_s.isdigit():
            return Later(reason=f"no access token: {str(told.get('error', ''))[:_REASON_LENGTH_MAX]}")
        self._token = _Token(text=text, until_s=now_s + max(0, int(lives_s) - _MARGIN_S))
        return text


def _sent(told: dict[str, Any] | Later | Unknown, reference: Callable[[Any], str]) -> SendOutcome:
    if isinstance(told, Later | Unknown):
        return told
    code = told.get("code")
    if code == _OK:
        return Taken(reference=reference(told.get("result")))
    if code == _DOUBLED or not isinstance(code, str) or not code:
        return Unknown(reason=_said(told))
    return Refused(reason=_said(told))


def _became(row: Mapping[str, Any], sign: int) -> AskOutcome:
    status = str(row.get("status", ""))
    if status == _ISSUED:
        return _numbered(row, sign)
    if status == _FAILED:
        return Refused(reason=str(row.get("failCause") or row.get("statusMsg") or "failed")[:_REASON_LENGTH_MAX])
    if status in _VOID:
        return Refused(reason="已作废 it was voided at the platform")
    return Pending(reference=str(row.get("serialNo") or ""))


def _numbered(row: Mapping[str, Any], sign: int) -> Numbered | Unknown:
    try:
        net_fen, tax_fen = (sign * parse_scaled(str(row[name]), 2, name) for name in ("exTaxAmount", "taxAmount"))
        at = datetime.fromtimestamp(int(row["invoiceTime"]) / 1_000, UTC) if row.get("invoiceTime") else None
    except (KeyError, ValueError, OverflowError, RefusalError):
        return Unknown(reason="an issued invoice came without its amounts or its time")
    number = str(row.get("allElectronicInvoiceNumber") or row.get("invoiceNo") or "")
    file_url = str(row.get("pdfUrl") or row.get("ofdUrl") or "")
    return Numbered(number=number, at=at, net_fen=net_fen, tax_fen=tax_fen, file_url=file_url)


def _detail(line: InvoiceLine) -> dict[str, str]:
    return {
        "goodsName": line.name,
        "goodsCode": line.goods_code,
        "withTaxFlag": "1",
        "taxRate": _rate(line.rate_micro),
        "taxExcludedAmount": format_minor(line.net_fen),
        "tax": format_minor(line.tax_fen),
        "taxIncludedAmount": format_minor(line.fen),
        "invoiceLineProperty": "0",
        "favouredPolicyFlag": "0",
        "zeroRateFlag": "" if line.rate_micro else "3",
    }


def _red_detail(line: InvoiceLine) -> dict[str, str]:
    return {
        "blueDetailIndex": str(line.n),
        "goodsName": line.name,
        "goodsCode": line.goods_code,
        "taxRate": _rate(line.rate_micro),
        "taxExcludedAmount": format_minor(-line.net_fen),
        "taxAmount": format_minor(-line.tax_fen),
    }


def _rate(rate_micro: int) -> str:
    return format((Decimal(rate_micro) / MICRO).normalize(), "f")


def _said(told: Mapping[str, Any]) -> str:
    return f"{told.get('code', '')} {told.get('describe', '')}".strip()[:_REASON_LENGTH_MAX] or "no code"
