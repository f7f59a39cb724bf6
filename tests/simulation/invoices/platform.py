"""The platform over HTTP: tokens, signatures over the very body, one service address, methods named in a header.

Its check of the signature is written apart from the product's: by string assembly and `hmac.new`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.simulation.invoices.book import Form, Paper, PlatformRefusalError, TaxBook, Trouble

APP_KEY, SECRET, TAX_NUMBER = "10020030", "0F1E2D3C4B5A6978", "91310000MA1EA5TPRK"
SKEW_S_MAX = 900
TOKEN_LIVES_S = 86_400
_OPEN = "nuonuo.OpeMplatform."
_LOST = Response(status_code=502)


@dataclass(slots=True)
class TaxPlatform:
    """The platform of one seller; `book` is what it stands for."""

    now_s: Callable[[], int]
    book: TaxBook = field(default_factory=TaxBook)
    tokens: dict[str, int] = field(default_factory=dict)
    calls: set[str] = field(default_factory=set)
    bodies: list[bytes] = field(default_factory=list)
    is_down: bool = False

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/accessToken", self._give_token, methods=["POST"]),
                Route("/open/v1/services", self._serve, methods=["POST"]),
                Route("/files/{number}.pdf", self._file),
            ]
        )

    async def _give_token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        if (form.get("client_id"), form.get("client_secret")) != (APP_KEY, SECRET):
            return JSONResponse({"error": "070304", "error_description": "bad credentials"}, status_code=401)
        token = f"token-{len(self.tokens) + 1}"
        self.tokens[token] = self.now_s() + TOKEN_LIVES_S
        return JSONResponse({"access_token": token, "expires_in": str(TOKEN_LIVES_S)})

    async def _serve(self, request: Request) -> Response:
        if self.is_down:
            return _LOST
        body = await request.body()
        distrust = self._distrust(request, body)
        if distrust:
            return JSONResponse({"code": distrust, "describe": "签名或授权有误"})
        self.bodies.append(body)
        method, content = request.headers["method"].removeprefix(_OPEN), json.loads(body)
        try:
            return self._done(method, content, f"{request.url.scheme}://{request.url.netloc}")
        except PlatformRefusalError as no:
            return JSONResponse({"code": no.code, "describe": no.describe})

    def _done(self, method: str, content: dict[str, Any], address: str) -> Response:
        if method == "queryInvoiceResult":
            return self._query(content, address)
        if method == "queryInvoiceRedConfirm":
            found = [form for form in self.book.forms if form.bill_id == content["billId"]]
            listed = {"total": len(found), "list": [_form(form) for form in found]}
            return JSONResponse({"code": "E0000", "describe": "查询成功", "result": listed})
        trouble = self.book.trouble()
        if trouble is Trouble.NEVER_CAME:
            return _LOST
        result = self._taken(method, content, trouble)
        if trouble is Trouble.ANSWER_LOST:
            return _LOST
        if trouble is Trouble.DOUBLED:
            self._taken(method, content, None)
        if trouble is Trouble.FALSE_NO:
            return JSONResponse({"code": "E9999", "describe": "系统异常"})
        return JSONResponse({"code": "E0000", "describe": "提交成功", "result": result})

    def _taken(self, method: str, content: dict[str, Any], trouble: Trouble | None) -> object:
        if method == "requestBillingNew":
            return {"invoiceSerialNum": self.book.take(content["order"], trouble).serial}
        if method == "saveInvoiceRedConfirm":
            return self.book.apply(content, trouble).bill_id
        raise PlatformRefusalError("E9001", "未知接口")

    def _query(self, content: dict[str, Any], address: str) -> Response:
        orders, serials = content.get("orderNos", []), content.get("serialNos", [])
        found = [one for one in self.book.papers if one.order in orders or one.serial in serials]
        if not found:
            return JSONResponse({"code": "E9500", "describe": "未查询到发票"})
        rows = [_paper(one, self.now_s(), address) for one in found]
        return JSONResponse({"code": "E0000", "describe": "获取成功", "result": rows})

    def _distrust(self, request: Request, body: bytes) -> str:
        query, head = request.query_params, request.headers
        if query.get("appkey") != APP_KEY or head.get("userTax") != TAX_NUMBER:
            return "070101"
        if self.tokens.get(head.get("accessToken", ""), 0) <= self.now_s():
            return "070304"
        parts = ("a=services", "l=v1", "p=open", f"k={APP_KEY}", f"i={query['senid']}", f"n={query['nonce']}")
        said = "&".join((*parts, f"t={query['timestamp']}", f"f={body.decode()}"))
        wanted = base64.b64encode(hmac.new(SECRET.encode(), said.encode(), hashlib.sha1).digest()).decode()
        if wanted != head.get("X-Nuonuo-Sign") or abs(int(query["timestamp"]) - self.now_s()) > SKEW_S_MAX:
            return "070302"
        if query["senid"] in self.calls or len(query["nonce"]) != 8:
            return "070303"
        self.calls.add(query["senid"])
        return ""

    async def _file(self, request: Request) -> Response:
        number = request.path_params["number"]
        known = any(paper.number == number for paper in self.book.papers)
        return Response(b"%PDF-1.7 invoice", media_type="application/pdf") if known else Response(status_code=404)


def _paper(paper: Paper, now_s: int, address: str) -> dict[str, object]:
    row: dict[str, object] = {"serialNo": paper.serial, "orderNo": paper.order, "status": paper.status}
    if paper.status == "22":
        return {**row, "failCause": paper.cause}
    if paper.status != "2":
        return {**row, "statusMsg": "开票中"}
    return {
        **row,
        "statusMsg": "开票完成（最终状态）",
        "allElectronicInvoiceNumber": paper.number,
        "invoiceTime": now_s * 1_000,
        "exTaxAmount": str(paper.net),
        "taxAmount": str(paper.tax),
        "orderAmount": str(paper.total),
        "payerName": paper.buyer,
        "pdfUrl": f"{address}/files/{paper.number}.pdf",
    }


def _form(form: Form) -> dict[str, object]:
    is_open = form.red is not None and form.red.status == "2"
    return {
        "billId": form.bill_id,
        "billNo": f"31{form.bill_id[-11:]}",
        "billStatus": form.status,
        "billMessage": "税局退回" if form.status == "16" else "",
        "applySource": "0",
        "openStatus": "1" if is_open else "0",
        "invoiceSerialNum": form.red.serial if is_open and form.red is not None else "",
        "blueElecInvoiceNumber": form.blue.number,
        "redReason": form.reason,
        "taxExcludedAmount": str(form.net),
        "taxAmount": str(form.tax),
    }
