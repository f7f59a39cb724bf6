"""The money of the story: residents pay by WeChat, one at the desk in cash, and each day is compared next morning.

Amounts come from the cashier address or the desk; a resident who pays too much or in part says so himself.
"""

from __future__ import annotations

from datetime import date, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from common.errors import RefusalError
from common.ids import uuid7
from tests.simulation import plan
from tests.simulation.house import House
from tests.simulation.office import Office, cashier_page, pay_at_link
from tests.simulation.people import draw
from tests.simulation.plan import ROLES
from tests.simulation.processes import wait_until

_SECONDS = 60.0
_LATER_OF_TEN = 3  # of ten households, so many pay on the second day
_TOO_MUCH_FEN = 8_800
_NOTE_FEN = 5_000
_NAMED = {ROLES.pays_too_much, ROLES.pays_in_part, ROLES.pays_cash}


class Money:
    """Payments and comparisons of one telling of the story; what happened is noted in `seen`."""

    def __init__(self, house: House, seen: dict[str, Any], managers: dict[str, Office]) -> None:
        self.house = house
        self.seen = seen
        self.cashiers: dict[str, Office] = {}
        self._managers = managers
        self._ids = 0

    def pay(self, day: date) -> None:
        """Residents pay: most by WeChat, one too much and one in part, one in cash, one never; then all are booked."""
        waiting: list[str] = []
        month = (day.replace(day=1) - timedelta(days=1)).replace(day=1).isoformat()
        for bill_id, bill in self.seen["bills"].items():
            if bill["month"] != month or bill["label"] == ROLES.never_pays or bill["total_fen"] <= 0:
                continue
            first = draw(self.house.seed, bill["label"], month) % 10 >= _LATER_OF_TEN
            if (day.day == plan.PAY_DAYS[0]) == (first or bill["label"] in _NAMED):
                waiting += self._pay_one(bill_id, bill)
        for attempt in waiting:
            self._wait_for_receipt(attempt)

    def _pay_one(self, bill_id: str, bill: dict[str, Any]) -> list[str]:
        """Pay one bill and return the addresses where its receipts will be told."""
        if bill["label"] == ROLES.pays_cash and bill["company"] == "cuihu":
            self._pay_cash(bill_id, bill, bill["total_fen"] + _NOTE_FEN)
            return []
        attempts: list[str] = []
        office = self._managers[bill["company"]]
        link = office.post(f"/bills/{bill_id}/pay-link")
        address = f"{self.house.cloud_url}/pay/{link['token']}"
        page = cashier_page(self.house.http, address)
        amount: int | None = None
        if bill["label"] == ROLES.pays_too_much:
            amount = bill["total_fen"] + _TOO_MUCH_FEN
        elif bill["label"] == ROLES.pays_in_part:
            amount = bill["total_fen"] // 2
        for quote in page["bill_quotes"]:
            wish = {} if amount is None else {"amount_fen": amount}
            attempt = pay_at_link(self.house.http, address, quote, self._new_id(), **wish)
            paid = self.house.control_wechat("pay", code_url=attempt["code_url"])
            self.seen["payments"].append(
                {
                    "bill_id": bill_id,
                    "company": bill["company"],
                    "channel": "wechat",
                    "order": attempt["order_number"],
                    "fen": paid["fen"],
                    "on": self.house.conductor.now().isoformat(),
                }
            )
            attempts.append(f"{address}/attempts/{attempt['attempt_id']}")
        return attempts

    def _wait_for_receipt(self, attempt: str) -> None:
        def booked() -> bool:
            return bool(self.house.http.get(attempt).json()["state"] == "paid")

        wait_until(booked, what=f"the receipt of {attempt}", seconds=_SECONDS)

    def _pay_cash(self, bill_id: str, bill: dict[str, Any], tendered_fen: int) -> None:
        """Pay at the desk with a note too large, and get change."""
        cashier = self.cashiers[bill["company"]]
        told = cashier.get(f"/bills/{bill_id}")
        line = told["lines"][0]
        boxes = cashier.get(f"/communities/{bill['community_id']}/cash-boxes")
        if boxes:
            box_id = boxes[0]["cash_box_id"]
        else:
            book = {"legal_entity_id": line["legal_entity_id"], "fund_class": line["fund_class"]}
            box_id = cashier.post(f"/communities/{bill['community_id']}/cash-boxes", name="前台 desk", **book)[
                "cash_box_id"
            ]
        opening = self.seen.get("cash_fen", 0)
        shift = cashier.post(
            f"/communities/{bill['community_id']}/cash-shifts", cash_box_id=box_id, opening_fen=opening
        )
        payment = cashier.post(
            f"/cash-shifts/{shift['cash_shift_id']}/payments",
            payment_id=str(self._new_id()),
            account_id=told["bill"]["account_id"],
            tendered_fen=tendered_fen,
            bill_ids=[bill_id],
        )
        self.seen["cash_fen"] = opening + payment["amount_fen"]
        cashier.post(f"/cash-shifts/{shift['cash_shift_id']}/close", counted_fen=self.seen["cash_fen"])
        self.seen["payments"].append(
            {
                "bill_id": bill_id,
                "company": bill["company"],
                "channel": "cash",
                "order": payment["number"],
                "fen": payment["amount_fen"],
                "on": self.house.conductor.now().isoformat(),
            }
        )

    def reconcile(self, day: date) -> None:
        """Fetch the trade bill of a day and compare it with the book."""
        for company, office in self._managers.items():
            for account in office.get("/merchant-accounts"):
                path = f"/reconciliation/merchant-accounts/{account['merchant_account_id']}/days/{day.isoformat()}"
                office.post(f"{path}/fetch")
                wait_until(
                    lambda office=office, path=path: _exists(office, path),  # type: ignore[misc]
                    what=f"the comparison of {company} on {day}",
                    seconds=_SECONDS,
                )
                self.seen["days"].append({"company": company, **office.get(path)})

    def _new_id(self) -> UUID:
        self._ids += 1
        entropy = sha256(f"{self.house.seed}:{self._ids}".encode()).digest()
        return uuid7(self.house.conductor.now(), lambda size: entropy[:size])


def _exists(office: Office, path: str) -> bool:
    try:
        office.get(path)
    except RefusalError as refusal:
        if " 404 " not in str(refusal):
            raise
        return False
    return True
