"use strict";
// Keypad by touch alone, and back to the start when nobody is there any more. The pages work without this file too.
(() => {
  const fields = [...document.querySelectorAll("input[data-pad]")];
  let current = fields[0];
  fields.forEach((field) => field.addEventListener("focus", () => { current = field; }));
  document.querySelectorAll("[data-key]").forEach((button) => button.addEventListener("click", () => {
    if (!current) { return; }
    const key = button.dataset.key;
    const full = current.maxLength > 0 && current.value.length >= current.maxLength;
    if (key === "erase") { current.value = current.value.slice(0, -1); } else if (!full) { current.value += key; }
    current.focus();
  }));
  if (current) { current.focus(); }
  const idleSeconds = Number(document.body.dataset.idleSeconds || 0);
  if (idleSeconds > 0) {
    let timer = 0;
    const again = () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => { window.location.replace("/"); }, idleSeconds * 1000);
    };
    ["pointerdown", "keydown"].forEach((name) => document.addEventListener(name, again));
    if (window.location.pathname !== "/" || fields.length > 0) { again(); }
  }
})();
