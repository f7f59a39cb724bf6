"""The back door of the simulator: register merchants, scan and pay, misbehave, read the channel's book."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.simulation.wechat import contracts
from tests.simulation.wechat.api import refund_fields
from tests.simulation.wechat.book import BEIJING, ChannelRefusalError
from tests.simulation.wechat.mischief import Mischief, Wish
from tests.simulation.wechat.parts import Channel, order_fields

Act = Callable[[Channel, dict[str, Any]], dict[str, Any]]


def control_routes(channel: Channel) -> list[Route]:
    """Return the routes of the back door."""
    acts: dict[str, Act] = {
        "merchants": _add_merchant,
        "pay": _pay,
        "finish-refund": _finish_refund,
        "mischief": _misbehave,
        "calm": _calm,
        "rotate": _rotate,
        "skew": _skew,
        "withdraw": _withdraw,
        "sign-agreement": contracts.sign,
        "end-agreement": contracts.end,
        "book": _read_book,
        "keys": _read_keys,
    }
    return [Route(f"/control/{name}", _route(channel, act), methods=["POST"]) for name, act in acts.items()]


def _route(channel: Channel, act: Act) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        try:
            return JSONResponse(act(channel, await request.json()))
        except ChannelRefusalError as no:
            return JSONResponse({"code": no.code, "message": no.message}, no.status)

    return serve


def _add_merchant(channel: Channel, fields: dict[str, Any]) -> dict[str, Any]:
    channel.book.add_merchant(fields)
    return _read_keys(channel, {})


def _pay(channel: Channel, fields: dict[str, Any]) -> dict[str, Any]:
    """Scan a code and pay; `number` instead of `code_url` names the order, `late` pays one already closed."""
    number = fields.get("number") or channel.book.by_code(fields["code_url"])["number"]
    row = channel.book.pay(number, fields.get("payer", "oPayer"), channel.now(), late=bool(fields.get("late")))
    merchant = channel.book.merchant(row["mchid"])
    if merchant is None:
        raise ChannelRefusalError(500, "SYSTEM_ERROR", "商户不存在")
    resource = order_fields(row, merchant)
    if row["notify_url"]:
        channel.messenger.announce("TRANSACTION.SUCCESS", merchant, row["notify_url"], resource, row["paid_at"])
    return {"number": number, "transaction_id": row["transaction_id"], "fen": row["fen"], "paid_at": row["paid_at"]}


def _finish_refund(channel: Channel, fields: dict[str, Any]) -> dict[str, Any]:
    channel.book.finish_refund(fields["number"], channel.now(), state=fields.get("state", "SUCCESS"))
    row = channel.book.find_refund(fields["number"])
    if row is None:
        raise ChannelRefusalError(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
    merchant = channel.book.merchant(row["mchid"])
    if merchant is not None and row["notify_url"]:
        told = refund_fields(row)
        at = channel.now().astimezone(BEIJING).isoformat(timespec="seconds")
        resource = {**told, "mchid": row["mchid"], "refund_status": told["status"]}
        channel.messenger.announce(f"REFUND.{row['state']}", merchant, row["notify_url"], resource, at)
    return refund_fields(row)


def _misbehave(channel: Channel, fields: dict[str, Any]) -> dict[str, Any]:
    wish = Wish(
        kind=Mischief(fields["kind"]),
        order=fields.get("order", ""),
        value=int(fields.get("value", 1)),
        times=int(fields.get("times", 1)),
    )
    channel.mischiefs.add(wish)
    return {}


def _calm(channel: Channel, fields: dict[str, Any]) -> dict[str, Any]:
    del fields
    channel.mischiefs.clear()
    return {}


def _rotate(channel: Channel, fields: dict[str, Any]) -> dict[str, Any]:
    channel.keys.rotate()
    return _read_keys(channel, fields)


def _skew(channel: Channel, fields: dict[str, Any]) -> dict[str, Any]:
    channel.keys.skew_s = int(fields["seconds"])
    return {}


def _withdraw(channel: Channel, fields: dict[str, Any]) -> dict[str, Any]:
    return {"number": channel.book.withdraw(fields["mchid"], int(fields["fen"]), channel.now())}


def _read_book(channel: Channel, fields: dict[str, Any]) -> dict[str, Any]:
    mchid = fields["mchid"]
    return {
        "trades": channel.book.trades(mchid),
        "refunds": channel.book.refunds(mchid),
        "merchant_fen": channel.book.balance(f"merchant:{mchid}"),
        "waiting": channel.messenger.waiting,
        "delivered": channel.messenger.delivered,
        "refused": channel.messenger.refused,
    }


def _read_keys(channel: Channel, fields: dict[str, Any]) -> dict[str, Any]:
    del fields
    return {
        "current": channel.keys.current.serial,
        "keys": {serial: key.public_pem() for serial, key in channel.keys.known.items()},
    }
