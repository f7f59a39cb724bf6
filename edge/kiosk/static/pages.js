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
  const small = async (file) => {
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, 1024 / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    for (const quality of [0.7, 0.5, 0.3, 0.1]) {
      const blob = await new Promise((done) => { canvas.toBlob(done, "image/jpeg", quality); });
      if (blob.size <= 100000) { return blob; }
    }
    throw new Error("too large");
  };
  document.querySelectorAll("input[data-photo]").forEach((input) => input.addEventListener("change", async () => {
    const refused = document.getElementById("photo-refused");
    try {
      const answer = await fetch(input.dataset.photo, { method: "POST", headers: { "Content-Type": "image/jpeg" }, body: await small(input.files[0]) });
      if (answer.ok) { window.location.reload(); } else { refused.hidden = false; }
    } catch { refused.hidden = false; }
  }));
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
