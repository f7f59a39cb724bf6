"""Where a signed-in person can go, by what he may do; the first place is where he lands after signing in."""

from __future__ import annotations

from dataclasses import dataclass

from cloud.identity.caller import Caller
from cloud.identity.policy import Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A page group in the navigation; some are only for who holds the permission in the whole company."""

    path: str
    zh: str
    en: str
    needs: Permission
    company_wide: bool = False

    def admits(self, caller: Caller) -> bool:
        """Return whether a caller may enter."""
        return caller.scope(self.needs).everywhere if self.company_wide else caller.may(self.needs)

    def holds(self, path: str) -> bool:
        """Return whether a path lies in this place."""
        return path == self.path or path.startswith(f"{self.path}/")


PLACES: tuple[Place, ...] = (
    Place(path="/dashboard", zh="总览", en="Dashboard", needs=Permission.SEE_DASHBOARD),
    Place(path="/runs", zh="账单批次", en="Bill runs", needs=Permission.RUN_BILLS),
    Place(path="/charges", zh="收费项", en="Charges", needs=Permission.RUN_BILLS),
    Place(path="/desk", zh="收款台", en="Desk", needs=Permission.TAKE_CASH),
    Place(path="/reconciliation", zh="对账", en="Reconciliation", needs=Permission.RECONCILE),
    Place(path="/bank", zh="银行转账", en="Bank", needs=Permission.RECONCILE),
    Place(path="/payouts", zh="银行付款", en="Payouts", needs=Permission.RECONCILE),
    Place(path="/refunds", zh="退款", en="Refunds", needs=Permission.REQUEST_REFUNDS),
    Place(path="/invoices", zh="发票", en="Invoices", needs=Permission.REQUEST_REFUNDS),
    Place(
        path="/invoice-accounts", zh="开票账户", en="Invoice accounts", needs=Permission.MANAGE_USERS, company_wide=True
    ),
    Place(path="/deposits", zh="押金", en="Deposits", needs=Permission.MANAGE_DEPOSITS),
    Place(path="/auto-pay", zh="自动扣款", en="Deductions", needs=Permission.SEE_PAYMENTS),
    Place(path="/arrears", zh="违约金与减免", en="Arrears", needs=Permission.ASK_RELIEF),
    Place(path="/instalments", zh="分期", en="Instalments", needs=Permission.ASK_RELIEF),
    Place(path="/settle", zh="退租结算", en="Move-out", needs=Permission.SETTLE),
    Place(path="/books", zh="总账", en="Books", needs=Permission.SEE_PAYMENTS),
    Place(path="/reports", zh="报表", en="Reports", needs=Permission.SEE_PAYMENTS),
    Place(path="/notices", zh="通知", en="Notices", needs=Permission.SEE_BILLS),
    Place(path="/messages", zh="消息服务", en="Messages", needs=Permission.MANAGE_USERS, company_wide=True),
    Place(path="/seals", zh="电子印章", en="Seals", needs=Permission.MANAGE_SEALS, company_wide=True),
    Place(path="/cases", zh="待办事项", en="Cases", needs=Permission.SEE_CASES),
    Place(path="/corrections", zh="更正", en="Corrections", needs=Permission.CORRECT),
    Place(path="/price-changes", zh="追溯调价", en="Past prices", needs=Permission.CORRECT),
    Place(path="/estimates", zh="估读", en="Estimates", needs=Permission.CORRECT),
    Place(path="/tariffs", zh="价格", en="Tariffs", needs=Permission.CHANGE_TARIFFS),
    Place(path="/price-trial", zh="价格试算", en="Try prices", needs=Permission.CHANGE_TARIFFS),
    Place(path="/fleet", zh="网关", en="Gateways", needs=Permission.SEE_FLEET),
    Place(path="/meters", zh="抄表", en="Meters", needs=Permission.MANAGE_FLEET),
    Place(path="/public-use", zh="公共用量", en="Public use", needs=Permission.SEE_FLEET),
    Place(path="/imports", zh="导入", en="Imports", needs=Permission.IMPORT_TABLES),
    Place(path="/audit", zh="审计日志", en="Audit log", needs=Permission.MANAGE_USERS, company_wide=True),
    Place(path="/stopped-jobs", zh="后台任务", en="Stopped work", needs=Permission.MANAGE_USERS, company_wide=True),
    Place(path="/my", zh="我的账单", en="My bills", needs=Permission.SEE_OWN),
    Place(path="/sunshine", zh="阳光账本", en="Sunshine ledger", needs=Permission.READ_SUNSHINE),
    Place(path="/my/instalments", zh="我的分期", en="My instalments", needs=Permission.SEE_OWN),
    Place(path="/my/invoices", zh="我的发票", en="My invoices", needs=Permission.SEE_OWN),
    Place(path="/my/deposits", zh="我的押金", en="My deposits", needs=Permission.SEE_OWN),
    Place(path="/my/auto-pay", zh="自动缴费", en="Auto-pay", needs=Permission.SEE_OWN),
    Place(path="/my/notices", zh="我的通知", en="My notices", needs=Permission.SEE_OWN),
    Place(path="/my/parking", zh="我的停车", en="My parking", needs=Permission.SEE_OWN),
)
SIGN_IN = "/sign-in"


def places_for(caller: Caller | None) -> tuple[Place, ...]:
    """Return the places that a caller may enter, in the order of the navigation."""
    return () if caller is None else tuple(place for place in PLACES if place.admits(caller))


def landing(caller: Caller) -> str:
    """Return where a caller lands: the first place he may enter, or a page that says he has no role yet."""
    places = places_for(caller)
    return places[0].path if places else "/no-role"


def local_path(wanted: str) -> str | None:
    """Return a path to go on to when it is one of ours, else None: a link must not lead to another site."""
    local = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted and wanted.isprintable()
    return wanted if local else None
