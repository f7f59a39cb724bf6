"""Text messages over the HTTP gateway of Alibaba Cloud (SendSms, QuerySendDetails of 2017-05-25).

Each request is signed: HMAC-SHA1 over method, path and the sorted, percent-encoded parameters, keyed by the account's
secret. The gateway does not recognise a repeat, so a lost answer is looked up by our own id and never sent again.
It must not log numbers, keep state, or read a clock but the machine clock it is given.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

import httpx

from cloud.kit.calls import Later, Refused, Unknown, call
from cloud.notices.providers.values import (
    Accepted,
    AskOutcome,
    Delivered,
    Letter,
    Question,
    SendOutcome,
    Template,
    template_of,
)

_GMT8 = timezone(timedelta(hours=8))
_LATER = frozenset(
    {
        "isv.BUSINESS_LIMIT_CONTROL",
        "isv.AMOUNT_NOT_ENOUGH",
        "isv.OUT_OF_SERVICE",
        "SignatureDoesNotMatch",
        "InvalidAccessKeyId.NotFound",
        "InvalidTimeStamp.Expired",
        "Throttling.User",
    }
)
_UNKNOWN = frozenset({"isp.SYSTEM_ERROR", "isp.RAM_PERMISSION_DENY", "ServiceUnavailable", "InternalError"})
_WAITING, _FAILED, _ARRIVED = 1, 2, 3
_DETAILS_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsAccount:
    """Who we are at the gateway: key, sign name (what stands in 【】 before a text) and approved templates."""

    key_id: str
    secret: str = field(repr=False)
    sign_name: str
    templates: tuple[Template, ...]


def signature(secret: str, method: str, fields: Mapping[str, str]) -> str:
    """Return the gateway's signature of some parameters."""
    query = "&".join(f"{_encoded(name)}={_encoded(fields[name])}" for name in sorted(fields))
    said = f"{method}&{_encoded('/')}&{_encoded(query)}"
    return base64.b64encode(hmac.digest(f"{secret}&".encode(), said.encode(), hashlib.sha1)).decode()


class SmsGateway:
    """The client of one account at the gateway."""

    tells = True

    def __init__(
        self,
        http: httpx.AsyncClient,
        url: str,
        account: SmsAccount,
        machine_now_s: Callable[[], int],
        new_nonce: Callable[[], str],
    ) -> None:
        self._http = http
        self._url = url
        self._account = account
        self._machine_now_s = machine_now_s
        self._new_nonce = new_nonce

    async def send(self, letter: Letter) -> SendOutcome:
        """Send a text once."""
        template = template_of(self._account.templates, letter)
        if template is None:
            return Refused(reason=f"no approved template for {letter.kind}")
        told = await self._call(
            "SendSms",
            PhoneNumbers=letter.to,
            SignName=self._account.sign_name,
            TemplateCode=template.code,
            TemplateParam=json.dumps(template.filled(letter.facts), ensure_ascii=False, sort_keys=True),
            OutId=letter.letter_id.hex,
        )
        if isinstance(told, Later | Unknown):
            return told
        code = str(told.get("Code", ""))
        if code == "OK":
            return Accepted(reference=str(told.get("BizId", "")))
        if code in _LATER:
            return Later(reason=code)
        return Unknown(reason=code or "no code") if code in _UNKNOWN or not code else Refused(reason=code)

    async def ask(self, question: Question) -> AskOutcome:
        """Return what became of a text, found by our own id among those of its day."""
        fields = {"BizId": question.reference} if question.reference else {}
        told = await self._call(
            "QuerySendDetails",
            PhoneNumber=question.to,
            SendDate=question.day.strftime("%Y%m%d"),
            PageSize=str(_DETAILS_MAX),
            CurrentPage="1",
            **fields,
        )
        if isinstance(told, Later | Unknown):
            return Unknown(reason=told.reason)
        if told.get("Code") != "OK":
            return Unknown(reason=str(told.get("Code", "no code")))
        for one in _details(told):
            if one.get("OutId") == question.letter_id.hex:
                return _became(one, question.reference)
        return Unknown(reason="the gateway knows no such text")

    async def _call(self, action: str, **wanted: str) -> dict[str, Any] | Later | Unknown:
        said_at = datetime.fromtimestamp(self._machine_now_s(), UTC)
        fields = {
            "AccessKeyId": self._account.key_id,
            "Action": action,
            "Format": "JSON",
            "RegionId": "cn-hangzhou",
            "SignatureMethod": "HMAC-SHA1",
            "SignatureNonce": self._new_nonce(),
            "SignatureVersion": "1.0",
            "Timestamp": said_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "Version": "2017-05-25",
            **wanted,
        }
        fields["Signature"] = signature(self._account.secret, "POST", fields)
        return await call(self._http, self._http.build_request("POST", f"{self._url}/", data=fields))


def _details(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    listed = told.get("SmsSendDetailDTOs")
    rows = listed.get("SmsSendDetailDTO") if isinstance(listed, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _became(row: Mapping[str, Any], reference: str) -> AskOutcome:
    status = row.get("SendStatus")
    if status == _ARRIVED:
        return Delivered(reference=reference, at=_instant(str(row.get("ReceiveDate", ""))))
    if status == _FAILED:
        return Refused(reason=str(row.get("ErrCode", "")) or "failed")
    return Accepted(reference=reference) if status == _WAITING else Unknown(reason=f"unknown status {status}")


def _instant(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=_GMT8).astimezone(UTC)
    except ValueError:
        return None


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")
