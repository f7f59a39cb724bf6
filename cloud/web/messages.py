"""What a page says after something was done, and how it words each kind of refusal: Chinese first, English beside it.

After a form the browser is sent on to a page with `?done=<word>`; only the words here are shown, so a link cannot put
words into our mouth.
"""

from __future__ import annotations

from http import HTTPStatus

DONE: dict[str, tuple[str, str]] = {
    "noted": ("备注已记录", "Note recorded"),
    "assigned": ("已转交", "Assigned"),
    "closed": ("事项已关闭", "Case closed"),
    "period-created": ("账期已建立", "Billing period created"),
    "run-approved": ("出账已批准，正在后台处理", "Run approved; the worker is at it"),
    "charge-made": ("收费项已建立", "Charge item made"),
    "charge-issued": ("已逐户出账", "Issued to each household"),
    "charge-dropped": ("草稿已放弃", "Draft thrown away"),
    "charge-withdrawn": ("收费已撤销，已出具调整单", "Charge withdrawn; credits issued"),
    "policy-decided": ("已保存，从现在起生效", "Decided; it holds from now on"),
    "period-closed": ("已关账", "Period closed"),
    "import-applied": ("整份表格已导入", "The whole table was taken in"),
    "import-undone": ("整次导入已撤回", "The whole import was taken back"),
    "entry-booked": ("收支已登记并公示", "Booked and shown to residents"),
    "late-charged": ("违约金已出账", "Late charges made"),
    "relief-asked": ("已提交，由他人审批", "Asked; another person decides"),
    "relief-decided": ("审批已记录", "Decided"),
    "settled": ("已结算", "Settled"),
    "site-sent": ("已下发，网关正在试运行", "Sent; the gateway runs it on trial"),
    "site-rolled-back": ("已下发上一可用版本", "The last good version was sent again"),
    "site-carried": ("已下发到所选网关", "Sent to the gateways chosen"),
    "meter-accepted": ("表计已接受并下发", "Meter accepted and sent to the gateway"),
    "meter-declined": ("未接受该表计", "Meter declined"),
    "gateway-revoked": ("网关已停用，签名不再接受", "Gateway revoked; nothing it signs is accepted"),
    "estimate-rule-decided": ("估读规则已生效", "The rule of estimates holds"),
    "charge-repeated": ("已按下期发票起草", "Drafted by the next invoice"),
    "virtual-meter-defined": ("虚拟表已定义", "The virtual meter is defined"),
    "estimate-decided": ("估读已生效，账单将注明“估”", "The estimate stands; bills will say so"),
    "reading-entered": ("读数已录入", "Reading entered"),
    "meter-swapped": ("已换表", "Meter swapped"),
    "correction-applied": ("更正已出具调整单", "Correction applied; adjustments issued"),
    "correction-empty": ("没有账单受影响，无需调整", "No bill is affected; nothing to adjust"),
    "correction-dropped": ("更正已放弃", "Correction dropped"),
    "shift-opened": ("已开班", "Shift opened"),
    "shift-closed": ("已交班", "Shift closed"),
    "cash-taken": ("已收款", "Cash taken"),
    "card-taken": ("签购单已录入", "Card slip entered"),
    "bank-added": ("银行账户已新增", "Bank account added"),
    "bank-imported": ("对账单已导入", "Statement imported"),
    "bank-identified": ("已认领入账", "Identified and booked"),
    "bank-explained": ("已署名说明", "Explained in your name"),
    "break-closed": ("差异已署名关闭，正在重新对账", "Break closed in your name; the day is compared again"),
    "statement-asked": ("已请求重新下载，稍后刷新", "The statement is fetched again; look again shortly"),
    "agreement-proposed": ("已提出分期，由他人审批", "Proposed; another person decides"),
    "agreement-decided": ("审批已记录", "Decided"),
    "agreement-withdrawn": ("已撤回", "Withdrawn"),
    "invoice-asked": ("已申请开票，稍后刷新查看结果", "The invoice is asked for; look again shortly"),
    "invoice-red": ("已申请红冲", "The red letter is asked for"),
    "invoice-again": ("正在再次查询", "The platform is asked once more"),
    "invoice-account": ("开票账户已启用", "The invoice account is in use"),
    "invoice-account-closed": ("开票账户已停用", "The invoice account is closed"),
    "seal-exchanged": ("印章密钥已更换，旧文件仍可验真", "The seal key is exchanged; old papers stay verifiable"),
    "message-account": ("消息服务账户已启用", "The account for messages is in use"),
    "message-account-closed": ("消息服务账户已停用", "The account for messages is closed"),
    "notice-wish": ("已保存通知方式", "Kept how you want to be told"),
    "mandate-check": ("已向渠道查询", "The channel was asked"),
    "mandate-pause": ("已暂停自动扣款", "Deductions are paused"),
    "mandate-resume": ("已恢复自动扣款", "Deductions go on"),
    "mandate-end": ("协议已终止", "The agreement is ended"),
    "refund-goes": ("符合规则，已自动办理", "Inside the policy: it goes back now"),
    "refund-waits": ("已申请，等待他人审批", "Asked; another person decides"),
    "refund-judged": ("审批已记录", "Your verdict is noted"),
    "refund-handed": ("已付现", "Cash handed out"),
    "refund-withdrawn": ("已撤回", "Withdrawn"),
    "payout-sent": ("已登记付款，等待银行流水确认", "Noted as sent; the bank's statement confirms it"),
    "payout-arrived": ("已确认到账", "Confirmed as arrived"),
    "payout-back": ("已登记退回，款项可重新退", "Noted as returned; it can be asked for again"),
    "deposit-opened": ("押金已开立", "The deposit is opened"),
    "deposit-taken": ("押金已收取", "The deposit is taken"),
    "deposit-cancelled": ("已取消", "Cancelled"),
    "deposit-met": ("条件已确认", "The condition is noted"),
    "deduction-proposed": ("已提出扣款，将通知住户", "Proposed; the payer is told"),
    "deduction-decided": ("已处理", "Decided"),
    "deduction-answered": ("已收到您的答复", "Your answer is noted"),
    "signed-out": ("您已退出登录", "You are signed out"),
}

HEADLINES: dict[HTTPStatus, tuple[str, str]] = {
    HTTPStatus.BAD_REQUEST: ("不能这样做", "This cannot be done"),
    HTTPStatus.UNAUTHORIZED: ("请先登录", "Please sign in"),
    HTTPStatus.FORBIDDEN: ("没有权限", "You may not do this"),
    HTTPStatus.NOT_FOUND: ("找不到该页面", "There is no such page"),
    HTTPStatus.METHOD_NOT_ALLOWED: ("不能这样打开", "This page does not take that"),
    HTTPStatus.CONFLICT: ("内容已变化，请重新查看", "Something has changed; look again"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("提交内容过大", "This is too large"),
    HTTPStatus.UNPROCESSABLE_ENTITY: ("填写有误", "Something is filled in wrongly"),
    HTTPStatus.SERVICE_UNAVAILABLE: ("系统繁忙，请稍后再试", "Busy; please try again"),
    HTTPStatus.INTERNAL_SERVER_ERROR: ("系统出错，没有任何更改", "A fault of ours; nothing was changed"),
}
OTHER_HEADLINE = ("不能完成", "This did not work")


def headline(status: HTTPStatus) -> tuple[str, str]:
    """Return how a refusal is headed in both languages."""
    return HEADLINES.get(status, OTHER_HEADLINE)
