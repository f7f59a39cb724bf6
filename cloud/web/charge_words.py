"""The words of the pages of charges and arrears for what the domains say in codes: Chinese first, English beside it."""

from __future__ import annotations

from collections.abc import Mapping

from cloud.arrears.values import ReliefKind, ReliefState
from cloud.charges.rules import ChargeKind
from cloud.charges.values import ChargeState, Sharing
from common.errors import ensure

Words = tuple[str, str]

CHARGE_KINDS: Mapping[ChargeKind, Words] = {
    ChargeKind.SERVICE: ("服务收入", "Service"),
    ChargeKind.AGENCY: ("代收代缴", "Collected for another"),
    ChargeKind.MAINTENANCE: ("专项维修资金", "Maintenance fund"),
    ChargeKind.COMMON_INCOME: ("公共收益", "Owners' common income"),
    ChargeKind.DEPOSIT: ("押金", "Deposit"),
    ChargeKind.LATE: ("违约金", "Late charge"),
}
SHARINGS: Mapping[Sharing, Words] = {
    Sharing.EACH: ("每户相同金额", "The same for each"),
    Sharing.BY_HOUSEHOLD: ("总额按户均分", "A total, by household"),
    Sharing.BY_AREA: ("总额按建筑面积分摊", "A total, by area"),
    Sharing.BY_PERSONS: ("总额按人数分摊", "A total, by persons"),
    Sharing.BY_COEFFICIENT: ("总额按系数分摊", "A total, by coefficient"),
}
CHARGE_STATES: Mapping[ChargeState, Words] = {
    ChargeState.DRAFT: ("草稿", "Draft"),
    ChargeState.ISSUED: ("已出账", "Issued"),
    ChargeState.DROPPED: ("已放弃", "Thrown away"),
    ChargeState.WITHDRAWN: ("已撤销", "Withdrawn"),
}
RELIEF_KINDS: Mapping[ReliefKind, Words] = {
    ReliefKind.WAIVER: ("减免", "Waiver"),
    ReliefKind.WRITE_OFF: ("核销", "Write-off"),
}
RELIEF_STATES: Mapping[ReliefState, Words] = {
    ReliefState.ASKED: ("待审批", "Waiting"),
    ReliefState.GRANTED: ("已批准", "Granted"),
    ReliefState.REFUSED: ("已驳回", "Refused"),
}
ensure(set(CHARGE_KINDS) == set(ChargeKind), "every kind of charge has words")
ensure(set(SHARINGS) == set(Sharing), "every sharing has words")
ensure(set(CHARGE_STATES) == set(ChargeState), "every state of a charge has words")
ensure(set(RELIEF_KINDS) == set(ReliefKind), "every kind of relief has words")
ensure(set(RELIEF_STATES) == set(ReliefState), "every state of relief has words")
