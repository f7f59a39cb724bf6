"""A gateway of text messages: signed requests, numbers it refuses, reports that come later, answers that get lost.

Its check of the signature is written apart from the product's: by string assembly and `hmac.new`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote_plus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

KEY_ID, SECRET, SIGN_NAME = "testId", "testSecret", "东方物业"
TEMPLATE = "SMS_71390007"
SKEW_S_MAX = 900
DEAD_NUMBER = "13900000000"
_LOST = Response(status_code=502)


@dataclass(slots=True, kw_only=True)
class Text:
    """A text that the gateway took on."""

    number: str
    out_id: str
    biz_id: str
    words: dict[str, str]
    day: str
    status: int = 1
    code: str = ""


@dataclass(slots=True)
class SmsSimulator:
    """The gateway of one account; `trouble` is what happens to the next request."""

    now_s: int
    texts: list[Text] = field(default_factory=list)
    nonces: set[str] = field(default_factory=set)
    trouble: str = ""

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/", self._serve, methods=["POST"])])

    def report(self, *, arrived: bool) -> None:
        for text in self.texts:
            text.status, text.code = (3, "DELIVERED") if arrived else (2, "MK:0001")

    async def _serve(self, request: Request) -> Response:
        fields = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        refusal = self._distrust(fields)
        if refusal:
            return JSONResponse({"Code": refusal, "Message": refusal, "RequestId": "r"}, status_code=400)
        if fields["Action"] == "QuerySendDetails":
            return JSONResponse(self._details(fields))
        return self._take(fields)

    def _take(self, fields: dict[str, str]) -> Response:
        trouble, self.trouble = self.trouble, ""
        if trouble == "slow_down":
            return JSONResponse({"Code": "isv.BUSINESS_LIMIT_CONTROL", "Message": "触发分钟级流控"})
        if fields["PhoneNumbers"] == DEAD_NUMBER:
            return JSONResponse({"Code": "isv.MOBILE_NUMBER_ILLEGAL", "Message": "号码错误"})
        if fields["SignName"] != SIGN_NAME or fields["TemplateCode"] != TEMPLATE:
            return JSONResponse({"Code": "isv.SMS_TEMPLATE_ILLEGAL", "Message": "模版不合法"})
        text = Text(
            number=fields["PhoneNumbers"],
            out_id=fields["OutId"],
            biz_id=f"{len(self.texts) + 1:018d}^0",
            words=json.loads(fields["TemplateParam"]),
            day=(datetime.fromtimestamp(self.now_s, UTC) + timedelta(hours=8)).strftime("%Y%m%d"),
        )
        self.texts.append(text)
        if trouble == "answer_lost":
            return _LOST
        return JSONResponse({"Code": "OK", "Message": "OK", "BizId": text.biz_id, "RequestId": "r"})

    def _details(self, fields: dict[str, str]) -> dict[str, object]:
        asked = (fields["PhoneNumber"], fields["SendDate"])
        rows = [
            {
                "PhoneNum": text.number,
                "OutId": text.out_id,
                "SendStatus": text.status,
                "ErrCode": text.code,
                "ReceiveDate": "2026-03-05 12:00:07" if text.status == 3 else "",
            }
            for text in self.texts
            if (text.number, text.day) == asked and fields.get("BizId", text.biz_id) == text.biz_id
        ]
        return {"Code": "OK", "TotalCount": len(rows), "SmsSendDetailDTOs": {"SmsSendDetailDTO": rows}}

    def _distrust(self, fields: dict[str, str]) -> str:
        said = fields.pop("Signature", "")
        if fields.get("AccessKeyId") != KEY_ID:
            return "InvalidAccessKeyId.NotFound"
        pairs = "&".join(f"{_percent(name)}={_percent(text)}" for name, text in sorted(fields.items()))
        wanted = hmac.new(f"{SECRET}&".encode(), f"POST&%2F&{_percent(pairs)}".encode(), hashlib.sha1)
        if base64.b64encode(wanted.digest()).decode() != said:
            return "SignatureDoesNotMatch"
        at = datetime.strptime(fields["Timestamp"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        if abs(at.timestamp() - self.now_s) > SKEW_S_MAX:
            return "InvalidTimeStamp.Expired"
        if fields["SignatureNonce"] in self.nonces:
            return "SignatureNonceUsed"
        self.nonces.add(fields["SignatureNonce"])
        return ""


def _percent(text: str) -> str:
    return quote_plus(text).replace("+", "%20").replace("*", "%2A").replace("%7E", "~")
