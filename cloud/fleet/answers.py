"""How the gateway endpoints answer: signed bytes as they are, refusals as problem documents with their reason."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import Response

from cloud.kit.httpapi import problem
from common.wire.refusal import Refusal, WireError

COSE = "application/cose"
CBOR = "application/cbor"

_STATUS: dict[Refusal, HTTPStatus] = {
    Refusal.OVERSIZE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Refusal.BOMB: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Refusal.MALFORMED: HTTPStatus.UNPROCESSABLE_ENTITY,
    Refusal.UNREADABLE: HTTPStatus.UNPROCESSABLE_ENTITY,
    Refusal.UNKNOWN_VERSION: HTTPStatus.UNPROCESSABLE_ENTITY,
    Refusal.PERSONAL_ALTERED: HTTPStatus.UNPROCESSABLE_ENTITY,
    Refusal.UNKNOWN_KEY: HTTPStatus.UNAUTHORIZED,
    Refusal.BAD_SIGNATURE: HTTPStatus.UNAUTHORIZED,
    Refusal.REVOKED_KEY: HTTPStatus.UNAUTHORIZED,
    Refusal.EXPIRED_KEY: HTTPStatus.UNAUTHORIZED,
    Refusal.FOREIGN_GATEWAY: HTTPStatus.FORBIDDEN,
}


def status_of(reason: Refusal) -> HTTPStatus:
    """Return the HTTP status of a refusal; what contradicts the store is a conflict."""
    return _STATUS.get(reason, HTTPStatus.CONFLICT)


def refusal_answer(error: WireError) -> Response:
    """Return the problem document of a refusal to a sender who proved no gateway."""
    return problem(status_of(error.reason), str(error), reason=str(error.reason))
