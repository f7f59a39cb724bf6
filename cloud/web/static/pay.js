/* Inside WeChat the payment sheet is opened by its bridge; the fields come signed from the server. */
"use strict";

function invoke(button) {
  const fields = JSON.parse(button.dataset.invoke);
  window.WeixinJSBridge.invoke("getBrandWCPayRequest", fields, () => {
    document.querySelector("#pay-state [hx-get*='ask=true']")?.click();
  });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-invoke]");
  if (!button) return;
  if (window.WeixinJSBridge) invoke(button);
  else document.addEventListener("WeixinJSBridgeReady", () => invoke(button), { once: true });
});
