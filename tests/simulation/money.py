"""The money of the story: residents pay by WeChat, one at the desk in cash, and each day is compared next morning.

Amounts come from the cashier address or the desk; a resident who pays too much or in part says so himself.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
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
_AT_ONCE = 4  # residents do not queue for each other
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

    def pay(self, day: date) -> None:
        """Residents pay: most by WeChat, one too much and one in part, one in cash, one never; then all are booked."""
        due: list[tuple[str, dict[str, Any]]] = []
        month = (day.replace(day=1) - timedelta(days=1)).replace(day=1).isoformat()
        for bill_id, bill in self.seen["bills"].items():
            if bill["month"] != month or bill["label"] == ROLES.never_pays or bill["total_fen"] <= 0:
                continue
            first = draw(self.house.seed, bill["label"], month) % 10 >= _LATER_OF_TEN
            if (day.day == plan.PAY_DAYS[0]) == (first or bill["label"] in _NAMED):
                due.append((bill_id, bill))
        at_desk = [(bill_id, bill) for bill_id, bill in due if _pays_cash(bill)]
        for bill_id, bill in at_desk:
            self._pay_cash(bill_id, bill, bill["total_fen"] + _NOTE_FEN)
        with ThreadPoolExecutor(_AT_ONCE) as residents:
            paid = residents.map(lambda one: self._pay_by_phone(*one), [one for one in due if one not in at_desk])
            told = [payment for payments in paid for payment in payments]
        for address, payment in told:
            self.seen["payments"].append(payment)
            self._wait_for_receipt(address)

    def _pay_by_phone(self, bill_id: str, bill: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        """Pay one bill by WeChat and return each payment with the address where its receipt will be told."""
        payments: list[tuple[str, dict[str, Any]]] = []
        office = self._managers[bill["company"]]
        link = office.post(f"/bills/{bill_id}/pay-link")
        address = f"{self.house.cloud_url}/pay/{link['token']}"
        page = cashier_page(self.house.http, address)
        amount: int | None = None
        if bill["label"] == ROLES.pays_too_much:
            amount = bill["total_fen"] + _TOO_MUCH_FEN
        elif bill["label"] == ROLES.pays_in_part:
            amount = bill["total_fen"] // 2
        for number, quote in enumerate(page["bill_quotes"]):
            wish = {} if amount is None else {"amount_fen": amount}
            intent = self._new_id(f"{bill_id}:{number}")
            attempt = pay_at_link(self.house.http, address, quote, intent, **wish)
            paid = self.house.control_wechat("pay", code_url=attempt["code_url"])
            payment = {
                "bill_id": bill_id,
                "company": bill["company"],
                "channel": "wechat",
                "order": attempt["order_number"],
                "fen": paid["fen"],
                "on": self.house.conductor.now().isoformat(),
            }
            payments.append((f"{address}/attempts/{attempt['attempt_id']}", payment))
        return payments

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
            payment_id=str(self._new_id(bill_id)),
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

    def _new_id(self, intent: str) -> UUID:
        entropy = sha256(f"{self.house.seed}:{intent}".encode()).digest()
        return uuid7(self.house.conductor.now(), lambda size: entropy[:size])


def _pays_cash(bill: dict[str, Any]) -> bool:
    return (bill["label"], bill["company"]) == (ROLES.pays_cash, "cuihu")


def _exists(office: Office, path: str) -> bool:
    try:
        office.get(path)
    except RefusalError as refusal:
        if " 404 " not in str(refusal):
            raise
        return False
    return True
