"""The people at the office and at home, as programs: they do everything over the same HTTP interface as the pages.

An `Office` is one signed-in user. Refusals come back as the text of the problem document.
"""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import httpx

from common.errors import RefusalError

_API = "/api/v1"
_TIMEOUT_S = 60.0
BRIEFLY = httpx.Limits(keepalive_expiry=1.0)  # well before a server closes a connection that idles


class Office:
    """One signed-in user of the cloud."""

    def __init__(self, base_url: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(
            base_url=base_url + _API, timeout=_TIMEOUT_S, headers=headers, trust_env=False, limits=BRIEFLY
        )

    def stands(self) -> bool:
        """Return whether the session is still good."""
        return self._http.get("/me").is_success

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def get(self, path: str, **query: Any) -> Any:
        """Return what a path answers.

        Raises:
            RefusalError: it does not answer 2xx.
        """
        return _told(self._http.get(path, params=query))

    def post(self, path: str, **body: Any) -> Any:
        """Send a body and return the answer.

        Raises:
            RefusalError: it does not answer 2xx.
        """
        return _told(self._http.post(path, json=body))

    def premises(self, community_id: str, day: date) -> dict[str, dict[str, Any]]:
        """Return the premises of a community by label, as they stand on a day."""
        found: dict[str, dict[str, Any]] = {}
        offset: int | None = 0
        while offset is not None:
            page = self.get(f"/communities/{community_id}/premises", day=day.isoformat(), offset=offset, limit=200)
            found |= {row["label"]: row for row in page["rows"]}
            offset = page["next_offset"]
        return found

    def period(self, community_id: str, start: date) -> dict[str, Any]:
        """Return how far a billing period is."""
        rows = self.get(f"/communities/{community_id}/billing-periods")
        found: dict[str, Any] = next(row for row in rows if row["start"] == start.isoformat())
        return found


def sign_in(base_url: str, code: str) -> str:
    """Spend a one-time code and return the session's token."""
    token: str = _told(httpx.post(f"{base_url}{_API}/session", json={"code": code}, timeout=_TIMEOUT_S))["token"]
    return token


def cashier_page(http: httpx.Client, address: str) -> dict[str, Any]:
    """Return what a bill's cashier address tells whoever holds the bill."""
    told: dict[str, Any] = _told(http.get(f"{address}/dues"))
    return told


def pay_at_link(http: httpx.Client, address: str, book: dict[str, Any], intent_id: UUID, **wish: Any) -> dict[str, Any]:
    """Begin a payment at a bill's cashier address, as whoever scans its code does."""
    body = {
        "intent_id": str(intent_id),
        "legal_entity_id": book["legal_entity_id"],
        "fund_class": book["fund_class"],
        **wish,
    }
    told: dict[str, Any] = _told(http.post(f"{address}/attempts", json=body))
    return told


def _told(answer: httpx.Response) -> Any:
    if answer.is_success:
        return answer.json() if answer.content else None
    raise RefusalError(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:500]}")
