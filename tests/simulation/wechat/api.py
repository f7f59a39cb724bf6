"""The channel's merchant interface: every request is verified over its raw bytes, every answer is signed."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import os
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from sqlite3 import Row
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.simulation.wechat import contracts, scanned, seals
from tests.simulation.wechat.bill_file import Flaws, write_bill
from tests.simulation.wechat.book import BEIJING, ChannelRefusalError
from tests.simulation.wechat.fund_file import write_flow
from tests.simulation.wechat.mischief import Mischief
from tests.simulation.wechat.parts import Call, Channel, order_fields

_WINDOW_S = 300
_BILL_HOUR = 10
_BILL_DAYS_BACK = 92
_PAPAY = "/v3/papay"
_CONTRACT = f"{_PAPAY}/sign/contracts/plan-id/{{plan}}/out-contract-code/{{code}}"


Handler = Callable[[Channel, Call], dict[str, Any] | None]


def merchant_routes(channel: Channel) -> list[Route]:
    """Return the routes a merchant may call."""
    return [
        _route(channel, "/v3/pay/transactions/native", "POST", _place),
        _route(channel, "/v3/pay/transactions/jsapi", "POST", _place_jsapi),
        _route(channel, "/v3/pay/transactions/h5", "POST", _place_h5),
        _route(channel, "/v3/pay/transactions/codepay", "POST", scanned.pay_by_code),
        _route(channel, "/v3/pay/transactions/out-trade-no/{number}/reverse", "POST", scanned.reverse),
        _route(channel, "/v3/pay/transactions/out-trade-no/{number}", "GET", _query),
        _route(channel, "/v3/pay/transactions/out-trade-no/{number}/close", "POST", _close),
        _route(channel, f"{_PAPAY}/scheduled-deduct-sign/contracts/pre-entrust-sign/h5", "POST", contracts.pre_sign),
        _route(channel, _CONTRACT, "GET", contracts.query),
        _route(channel, f"{_CONTRACT}/terminate", "POST", contracts.terminate),
        _route(channel, f"{_PAPAY}/pay/schedules/contract-id/{{contract}}/schedule", "POST", contracts.schedule),
        _route(channel, f"{_PAPAY}/pay/transactions/apply", "POST", contracts.apply),
        _route(channel, "/v3/refund/domestic/refunds", "POST", _refund),
        _route(channel, "/v3/refund/domestic/refunds/{refund}", "GET", _query_refund),
        _route(channel, "/v3/bill/tradebill", "GET", _bill_address),
        _route(channel, "/v3/bill/fundflowbill", "GET", _flow_address),
        Route("/v3/billdownload/file", _download(channel), methods=["GET"]),
    ]


def refund_fields(row: Row) -> dict[str, Any]:
    """Return a refund as the channel tells it."""
    fields = {
        "refund_id": row["refund_id"],
        "out_refund_no": row["number"],
        "transaction_id": row["transaction_id"],
        "out_trade_no": row["trade_number"],
        "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱",
        "create_time": row["made_at"],
        "status": row["state"],
        "amount": {"total": row["total_fen"], "refund": row["fen"], "currency": row["currency"]},
    }
    return fields | ({"success_time": row["done_at"]} if row["state"] == "SUCCESS" else {})


def _route(channel: Channel, path: str, method: str, handler: Handler) -> Route:
    async def serve(request: Request) -> Response:
        order = ""
        try:
            call = await _verified(channel, request)
            order = _order_of(call)
            _refuse_if_wished(channel, order)
            fields = handler(channel, call)
        except ChannelRefusalError as no:
            return _answer(channel, request, no.status, {"code": no.code, "message": no.message})
        if method == "POST" and channel.mischiefs.take(Mischief.COMMIT_THEN_ERROR, order) is not None:
            return Response(b'{"code":"SYSTEM_ERROR"}', 500)
        hang_s = channel.mischiefs.take(Mischief.COMMIT_THEN_HANG, order)
        if hang_s is not None:
            await asyncio.sleep(hang_s)
        return _answer(channel, request, 204 if fields is None else 200, fields, order=order)

    return Route(path, serve, methods=[method])


async def _verified(channel: Channel, request: Request) -> Call:
    raw = await request.body()
    if not request.headers.get("accept") or not request.headers.get("user-agent"):
        raise ChannelRefusalError(400, "PARAM_ERROR", "Accept 与 User-Agent 必填")
    given = seals.authorization_fields(request.headers.get("authorization", ""))
    merchant = channel.book.merchant(given.get("mchid", ""))
    if merchant is None or given.get("serial_no") != merchant["serial"]:
        raise ChannelRefusalError(401, "SIGN_ERROR", "商户证书序列号有误")
    timestamp = given.get("timestamp", "")
    if not timestamp.isdigit() or abs(int(timestamp) - channel.keys.machine_s()) > _WINDOW_S:
        raise ChannelRefusalError(401, "SIGN_ERROR", "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟")
    signed = seals.lines(request.method, _raw_path(request), timestamp, given.get("nonce_str", ""), raw)
    if not seals.read_public(merchant["public_pem"]).confirms(signed, given.get("signature", "")):
        raise ChannelRefusalError(401, "SIGN_ERROR", "错误的签名")
    return Call(merchant, json.loads(raw) if raw else {}, request)


def _raw_path(request: Request) -> str:
    path: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    return (path.split(b"?")[0] + (b"?" + query if query else b"")).decode()


def _order_of(call: Call) -> str:
    return str(call.fields.get("out_trade_no") or call.request.path_params.get("number") or "")


def _refuse_if_wished(channel: Channel, order: str) -> None:
    if channel.mischiefs.take(Mischief.RATE_LIMITED, order) is not None:
        raise ChannelRefusalError(429, "FREQUENCY_LIMITED", "频率限制")
    if channel.mischiefs.take(Mischief.SERVER_ERROR, order) is not None:
        raise ChannelRefusalError(500, "SYSTEM_ERROR", "系统错误")


def _answer(
    channel: Channel, request: Request, status: int, fields: dict[str, Any] | None, *, order: str = ""
) -> Response:
    body = b"" if fields is None else json.dumps(fields, ensure_ascii=False).encode()
    key = channel.keys.chosen(request.headers.get("wechatpay-serial"))
    if channel.mischiefs.take(Mischief.WRONG_KEY, order) is not None:
        key = channel.keys.stranger
    timestamp, nonce = str(int(channel.keys.machine_s())), os.urandom(16).hex()
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Wechatpay-Timestamp": timestamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Serial": key.serial,
        "Wechatpay-Signature": key.seal(seals.lines(timestamp, nonce, body)),
    }
    if channel.mischiefs.take(Mischief.UNSIGNED, order) is not None:
        headers = {}
    return Response(body, status, headers)


def _place(channel: Channel, call: Call) -> dict[str, Any]:
    wish = call.fields
    if (wish.get("mchid"), wish.get("appid")) != (call.merchant["mchid"], call.merchant["appid"]):
        raise ChannelRefusalError(400, "APPID_MCHID_NOT_MATCH", "appid和mchid不匹配")
    if wish["amount"].get("currency", "CNY") != "CNY" or "?" in wish["notify_url"]:
        raise ChannelRefusalError(400, "PARAM_ERROR", "参数错误")
    return {"code_url": channel.book.place(call.merchant["mchid"], wish)}


def _place_jsapi(channel: Channel, call: Call) -> dict[str, Any]:
    if not call.fields.get("payer", {}).get("openid"):
        raise ChannelRefusalError(400, "PARAM_ERROR", "openid 必填")
    return {"prepay_id": f"wx{_place(channel, call)['code_url'].rpartition('=')[2]}"}


def _place_h5(channel: Channel, call: Call) -> dict[str, Any]:
    if not call.fields.get("scene_info", {}).get("payer_client_ip"):
        raise ChannelRefusalError(400, "PARAM_ERROR", "scene_info 必填")
    code = _place(channel, call)["code_url"].rpartition("=")[2]
    return {"h5_url": f"{channel.base_url}/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx{code}"}


def _query(channel: Channel, call: Call) -> dict[str, Any]:
    row = channel.book.trade(call.merchant["mchid"], call.request.path_params["number"])
    if row is None or call.request.query_params.get("mchid") != call.merchant["mchid"]:
        raise ChannelRefusalError(400, "PARAM_ERROR", "mchid 必填")
    fields = order_fields(row, call.merchant)
    add_fen = channel.mischiefs.take(Mischief.QUERY_WRONG_AMOUNT, row["number"]) if "amount" in fields else None
    if add_fen is not None:
        fields["amount"] = {**fields["amount"], "total": fields["amount"]["total"] + add_fen}
    if channel.mischiefs.take(Mischief.QUERY_WRONG_MERCHANT, row["number"]) is not None:
        fields["mchid"] = "1999999999"
    return fields


def _close(channel: Channel, call: Call) -> None:
    channel.book.close_trade(call.merchant["mchid"], call.request.path_params["number"])


def _refund(channel: Channel, call: Call) -> dict[str, Any]:
    order = call.fields["out_trade_no"]
    state = "SUCCESS"
    if channel.mischiefs.take(Mischief.REFUND_PENDING, order) is not None:
        state = "PROCESSING"
    if channel.mischiefs.take(Mischief.REFUND_ABNORMAL, order) is not None:
        state = "ABNORMAL"
    row = channel.book.refund(call.merchant["mchid"], call.fields, channel.now(), state=state)
    return refund_fields(row)


def _query_refund(channel: Channel, call: Call) -> dict[str, Any]:
    row = channel.book.find_refund(call.request.path_params["refund"])
    if row is None or row["mchid"] != call.merchant["mchid"]:
        raise ChannelRefusalError(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
    return refund_fields(row)


def _bill(channel: Channel, merchant: Row, day: str) -> bytes | None:
    take = channel.mischiefs.take
    flaws = Flaws(
        rows_missing=take(Mischief.BILL_DROPS_ROW) or 0,
        rows_doubled=take(Mischief.BILL_DOUBLES_ROW) or 0,
        first_payment_fen=take(Mischief.BILL_WRONG_AMOUNT) or 0,
        total_fen=take(Mischief.BILL_WRONG_TOTAL) or 0,
    )
    return write_bill(channel.book, merchant, day, flaws)


def _bill_address(channel: Channel, call: Call) -> dict[str, Any]:
    return _file_address(channel, call, _bill)


def _flow_address(channel: Channel, call: Call) -> dict[str, Any]:
    return _file_address(channel, call, _flow)


def _flow(channel: Channel, merchant: Row, day: str) -> bytes | None:
    complaint_fen = channel.mischiefs.take(Mischief.FLOW_COMPLAINT)
    if complaint_fen is not None:
        at = datetime.fromisoformat(f"{day}T23:30:00+08:00")
        channel.book.complain(merchant["mchid"], complaint_fen, "COMPLAINT1", at)
    return write_flow(channel.book, merchant["mchid"], day, channel.mischiefs.take(Mischief.FLOW_DROPS_ROW) or 0)


def _file_address(channel: Channel, call: Call, write: Callable[[Channel, Row, str], bytes | None]) -> dict[str, Any]:
    day = date.fromisoformat(call.request.query_params["bill_date"])
    local = channel.now().astimezone(BEIJING)
    if day >= local.date() or day < local.date() - timedelta(days=_BILL_DAYS_BACK):
        raise ChannelRefusalError(400, "PARAM_ERROR", "账单日期错误")
    too_early = day == local.date() - timedelta(days=1) and local.hour < _BILL_HOUR
    if too_early or channel.mischiefs.take(Mischief.BILL_NOT_READY) is not None:
        raise ChannelRefusalError(400, "STATEMENT_CREATING", "账单生成中")
    raw = write(channel, call.merchant, day.isoformat())
    if raw is None:
        raise ChannelRefusalError(400, "NO_STATEMENT_EXIST", "账单文件不存在")
    token = os.urandom(16).hex()
    channel.files[token] = (call.merchant["mchid"], raw)
    digest = hashlib.sha1(raw, usedforsecurity=False).hexdigest()
    if channel.mischiefs.take(Mischief.BILL_WRONG_DIGEST) is not None:
        digest = "0" * len(digest)
    host = channel.base_url
    if channel.mischiefs.take(Mischief.BILL_FOREIGN_HOST) is not None:
        host = "http://127.0.0.1:9"
    return {
        "hash_type": "SHA1",
        "hash_value": digest,
        "download_url": f"{host}/v3/billdownload/file?token={token}",
    }


def _download(channel: Channel) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        try:
            call = await _verified(channel, request)
        except ChannelRefusalError as no:
            return _answer(channel, request, no.status, {"code": no.code, "message": no.message})
        mchid, raw = channel.files.get(request.query_params.get("token", ""), ("", b""))
        if mchid != call.merchant["mchid"]:
            return Response(b"", 403)
        return Response(gzip.compress(raw), 200, {"Content-Type": "application/octet-stream"})

    return serve
