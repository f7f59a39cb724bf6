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
      timer = window.setTimeout(() => { sessionStorage.removeItem("ease"); window.location.replace("/"); }, idleSeconds * 1000);
    };
    ["pointerdown", "keydown"].forEach((name) => document.addEventListener(name, again));
    if (window.location.pathname !== "/" || fields.length > 0) { again(); }
  }
  const ease = new Set((sessionStorage.getItem("ease") || "").split(" ").filter(Boolean));
  const speak = () => {
    const spoken = document.querySelector("[data-say]");
    if (!ease.has("voice") || !spoken) { return; }
    const sound = new Audio(`/voice/${spoken.dataset.say}`);
    const missing = document.getElementById("no-voice");
    sound.addEventListener("error", () => { if (missing) { missing.hidden = false; } });
    sound.play().catch(() => {});
  };
  const settle = () => {
    ["big", "voice", "english"].forEach((name) => document.body.classList.toggle(name, ease.has(name)));
    document.querySelectorAll("[data-ease]").forEach((button) => button.setAttribute("aria-pressed", String(ease.has(button.dataset.ease))));
    sessionStorage.setItem("ease", [...ease].join(" "));
  };
  document.querySelectorAll("[data-ease]").forEach((button) => button.addEventListener("click", () => {
    const name = button.dataset.ease;
    if (ease.has(name)) { ease.delete(name); } else { ease.add(name); }
    settle();
    if (name === "voice") { speak(); }
  }));
  settle();
  speak();
  document.querySelectorAll("[data-print]").forEach((button) => button.addEventListener("click", () => window.print()));
  const watched = document.querySelector("[data-state]");
  if (watched) {
    const away = document.getElementById("away");
    window.setInterval(async () => {
      try {
        const { state } = await (await fetch(watched.dataset.state)).json();
        if (state === "paid" || (watched.dataset.shown && ![watched.dataset.shown, "away"].includes(state))) { window.location.reload(); }
        away.hidden = state !== "away";
      } catch { away.hidden = false; }
    }, Number(watched.dataset.stateSeconds) * 1000);
  }
})();
