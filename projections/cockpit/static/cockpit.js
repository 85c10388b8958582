// Keeps a page live: reloads its content when the service says that it changed, sends forms by fetch, and handles keys.
// All text comes from the server; without this file the cockpit works with plain forms and links.
"use strict";
(() => {
  const HEADER = "cockpit-fetch";
  const MIN_RELOAD_MS = 400, SLOW_RELOAD_MS = 15000, LOST_MS = 1500, RECONNECT_MS = 2000;
  const UNITS = [[86400, "d"], [3600, "h"], [60, "m"], [1, "s"]];
  const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
  const still = new URLSearchParams(location.search).has("still");
  const live = () => document.getElementById("live");

  const span = (seconds) => {
    let left = Math.max(0, Math.floor(seconds));
    const parts = [];
    for (const [size, unit] of UNITS) {
      if (left >= size || (parts.length && parts.length < 2)) {
        const number = Math.floor(left / size);
        left -= number * size;
        if (parts.length < 2 && (number || !parts.length)) parts.push(`${number} ${unit}`);
        else if (parts.length) break;
      }
    }
    return parts.join(" ") || "0 s";
  };

  const two = (number) => String(number).padStart(2, "0");
  const strftime = (form, at) => form.replace(/%[dbHMS]/g, (code) => ({
    "%d": () => two(at.getDate()), "%b": () => MONTHS[at.getMonth()], "%H": () => two(at.getHours()),
    "%M": () => two(at.getMinutes()), "%S": () => two(at.getSeconds()),
  })[code]());

  // Shows times in the viewer's zone, and turns ages into instants that `tick` counts from. Runs on new content before it is merged.
  const localise = (root) => {
    for (const node of root.querySelectorAll("[data-clock]")) {
      const at = new Date(node.getAttribute("datetime") || node.dataset.at);
      node.textContent = strftime(node.dataset.clock, at);
    }
    const now = Date.now();
    for (const node of root.querySelectorAll("[data-age]")) node.dataset.since = String(now - node.dataset.age * 1000);
    for (const node of root.querySelectorAll("[data-left]")) node.dataset.until = String(now + node.dataset.left * 1000);
  };

  const tick = () => {
    const now = Date.now();
    for (const node of document.querySelectorAll("[data-since]")) node.textContent = span((now - node.dataset.since) / 1000);
    for (const node of document.querySelectorAll("[data-until]")) node.textContent = span((node.dataset.until - now) / 1000);
  };

  // Forms that are being edited, and the open state of menus, survive a merge.
  const mergeCallbacks = {
    beforeNodeMorphed: (old) => !(old.nodeType === 1 && old.matches("form[data-dirty]")),
    beforeAttributeUpdated: (name, node) => !(name === "open" && node.tagName === "DETAILS"),
  };

  const merge = (text) => {
    const answer = new DOMParser().parseFromString(text, "text/html");
    localise(answer);
    const content = answer.getElementById("live");
    if (content && live()) {
      if (content.dataset.title) document.title = `${content.dataset.title} · Muster`;
      const typing = Boolean(document.activeElement?.matches("input, textarea, select"));
      Idiomorph.morph(live(), content.innerHTML, { morphStyle: "innerHTML", ignoreActiveValue: typing, callbacks: mergeCallbacks });
    }
    const flash = answer.getElementById("flash");
    if (flash && flash.firstElementChild) document.getElementById("flash").replaceChildren(...flash.children);
    tick();
  };

  const showError = (text) => {
    const line = document.createElement("p");
    line.className = "flash refused";
    line.textContent = text;
    document.getElementById("flash").replaceChildren(line);
  };

  let reloading = false, reloadAgain = false, reloadedAt = 0;
  const reload = async () => {
    if (still || document.hidden) return;
    if (reloading) { reloadAgain = true; return; }
    reloading = true;
    try {
      await new Promise((done) => setTimeout(done, Math.max(0, reloadedAt + MIN_RELOAD_MS - Date.now())));
      const answer = await fetch(location.href.split("#")[0], { headers: { [HEADER]: "1" }, cache: "no-store" });
      if (answer.headers.get("content-type")?.startsWith("text/html") && answer.status !== 503) merge(await answer.text());
    } catch { /* the stream says when the service is back */ } finally {
      reloadedAt = Date.now();
      reloading = false;
      if (reloadAgain) { reloadAgain = false; reload(); }
    }
  };

  let source = null, lostTimer = 0;
  const link = document.getElementById("link");
  const connected = () => { clearTimeout(lostTimer); lostTimer = 0; link.hidden = true; };
  const connect = () => {
    if (still || source) return;
    source = new EventSource("/stream");
    source.addEventListener("open", () => { connected(); reload(); });
    source.addEventListener("moved", reload);
    source.addEventListener("error", () => {
      lostTimer ||= setTimeout(() => { link.hidden = false; }, LOST_MS);
      if (source && source.readyState === EventSource.CLOSED) { disconnect(); setTimeout(connect, RECONNECT_MS); }
    });
  };
  const disconnect = () => { source?.close(); source = null; };
  document.addEventListener("visibilitychange", () => { if (document.hidden) disconnect(); else { connect(); reload(); } });
  addEventListener("pagehide", disconnect);
  addEventListener("pageshow", (event) => { if (event.persisted) { connect(); reload(); } });

  const send = async (form, button) => {
    const body = new URLSearchParams(new FormData(form, button));
    button?.setAttribute("aria-disabled", "true");
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { [HEADER]: "1" } });
      const accepted = answer.ok;
      if (accepted) { delete form.dataset.dirty; form.closest("details.ask")?.removeAttribute("open"); }
      const back = accepted ? body.get("back") : null;
      if (back && back !== location.pathname + location.search) history.pushState(null, "", back);
      const typed = !accepted && form.elements.here;
      if (typed) delete form.dataset.dirty;
      if (answer.headers.get("content-type")?.startsWith("text/html")) merge(await answer.text());
      else showError(`The service answered ${answer.status}.`);
      if (typed && form.isConnected) {
        form.dataset.dirty = "1";
        form.querySelector("[aria-invalid]")?.focus();
      }
    } catch { showError("Not sent: the service does not answer."); } finally { button?.removeAttribute("aria-disabled"); }
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || "plain" in form.dataset) return;
    event.preventDefault();
    if (event.submitter?.getAttribute("aria-disabled") !== "true") send(form, event.submitter);
  });
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form");
    if (form) form.dataset.dirty = "1";
  });
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-auto]");
    if (form && event.target.tagName === "SELECT") form.requestSubmit();
  });
  addEventListener("popstate", () => location.reload());

  const focusItem = (by) => {
    const items = [...document.querySelectorAll("[data-item]")].filter((item) => item.querySelector(".go"));
    const here = items.indexOf(document.activeElement?.closest("[data-item]"));
    const next = items[here < 0 ? (by > 0 ? 0 : items.length - 1) : Math.min(items.length - 1, Math.max(0, here + by))];
    next?.querySelector(".go").focus();
    next?.scrollIntoView({ block: "nearest" });
  };
  const press = (key) => {
    const selected = document.activeElement?.closest("[data-item]");
    const control = selected?.querySelector(`[data-key="${key}"]`) ?? live().querySelector(`[data-key="${key}"]`);
    control?.focus();
    control?.click();
    return Boolean(control);
  };
  const help = document.getElementById("help");
  const keys = {
    j: () => focusItem(1), k: () => focusItem(-1), p: () => press("p"), r: () => press("r"), D: () => press("D"),
    R: () => location.assign("/recovery"), "?": () => help.showModal(),
    K: () => { if (!press("K")) location.assign("/workers#fence"); },
  };
  for (const pane of "123456") keys[pane] = () => document.querySelector(`nav [data-pane="${pane}"]`).click();
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || help.open) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const act = keys[event.key];
    if (act) { event.preventDefault(); act(); }
  });
  const helpButton = document.getElementById("ask-help");
  helpButton.hidden = false;
  helpButton.addEventListener("click", () => help.showModal());

  document.getElementById("zone").textContent = `Times are ${Intl.DateTimeFormat().resolvedOptions().timeZone || "local"}.`;
  localise(document);
  setInterval(tick, 1000);
  setInterval(reload, SLOW_RELOAD_MS);
  if (!document.hidden) connect();
})();
