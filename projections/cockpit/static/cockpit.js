// Keeps a page live: looks again when the service says so, sends forms without leaving, and listens to the keyboard.
// What is on the page is the server's text; without this file everything works by plain forms and links.
"use strict";
(() => {
  const HEADER = "cockpit-fetch";
  const GAP_MS = 400, SLOW_MS = 15000, LOST_MS = 1500, AGAIN_MS = 2000;
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

  // Times in the viewer's zone, ages as moments from which they grow: done to new text before it is merged.
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

  const kept = {
    beforeNodeMorphed: (old) => !(old.nodeType === 1 && old.matches("form[data-dirty]")),
    beforeAttributeUpdated: (name, node) => !(name === "open" && node.tagName === "DETAILS"),
  };

  const merge = (text) => {
    const sent = new DOMParser().parseFromString(text, "text/html");
    localise(sent);
    const fresh = sent.getElementById("live");
    if (fresh && live()) {
      if (fresh.dataset.title) document.title = `${fresh.dataset.title} · Muster`;
      const typing = Boolean(document.activeElement?.matches("input, textarea, select"));
      Idiomorph.morph(live(), fresh.innerHTML, { morphStyle: "innerHTML", ignoreActiveValue: typing, callbacks: kept });
    }
    const said = sent.getElementById("flash");
    if (said && said.firstElementChild) document.getElementById("flash").replaceChildren(...said.children);
    tick();
  };

  const say = (words) => {
    const line = document.createElement("p");
    line.className = "flash refused";
    line.textContent = words;
    document.getElementById("flash").replaceChildren(line);
  };

  let looking = false, again = false, lookedAt = 0;
  const look = async () => {
    if (still || document.hidden) return;
    if (looking) { again = true; return; }
    looking = true;
    try {
      await new Promise((done) => setTimeout(done, Math.max(0, lookedAt + GAP_MS - Date.now())));
      const answer = await fetch(location.href.split("#")[0], { headers: { [HEADER]: "1" }, cache: "no-store" });
      if (answer.headers.get("content-type")?.startsWith("text/html") && answer.status !== 503) merge(await answer.text());
    } catch { /* the stream says when the service is back */ } finally {
      lookedAt = Date.now();
      looking = false;
      if (again) { again = false; look(); }
    }
  };

  let source = null, lost = 0;
  const link = document.getElementById("link");
  const heard = () => { clearTimeout(lost); lost = 0; link.hidden = true; };
  const listen = () => {
    if (still || source) return;
    source = new EventSource("/stream");
    source.addEventListener("open", () => { heard(); look(); });
    source.addEventListener("moved", look);
    source.addEventListener("error", () => {
      lost ||= setTimeout(() => { link.hidden = false; }, LOST_MS);
      if (source && source.readyState === EventSource.CLOSED) { hush(); setTimeout(listen, AGAIN_MS); }
    });
  };
  const hush = () => { source?.close(); source = null; };
  document.addEventListener("visibilitychange", () => { if (document.hidden) hush(); else { listen(); look(); } });
  addEventListener("pagehide", hush);
  addEventListener("pageshow", (event) => { if (event.persisted) { listen(); look(); } });

  const send = async (form, button) => {
    const body = new URLSearchParams(new FormData(form, button));
    button?.setAttribute("aria-disabled", "true");
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { [HEADER]: "1" } });
      const well = answer.ok;
      if (well) { delete form.dataset.dirty; form.closest("details.ask")?.removeAttribute("open"); }
      const back = well ? body.get("back") : null;
      if (back && back !== location.pathname + location.search) history.pushState(null, "", back);
      const typed = !well && form.elements.here;
      if (typed) delete form.dataset.dirty;
      if (answer.headers.get("content-type")?.startsWith("text/html")) merge(await answer.text());
      else say(`The service answered ${answer.status}.`);
      if (typed && form.isConnected) {
        form.dataset.dirty = "1";
        form.querySelector("[aria-invalid]")?.focus();
      }
    } catch { say("Not sent: the service does not answer."); } finally { button?.removeAttribute("aria-disabled"); }
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

  const step = (by) => {
    const items = [...document.querySelectorAll("[data-item]")].filter((item) => item.querySelector(".go"));
    const here = items.indexOf(document.activeElement?.closest("[data-item]"));
    const next = items[here < 0 ? (by > 0 ? 0 : items.length - 1) : Math.min(items.length - 1, Math.max(0, here + by))];
    next?.querySelector(".go").focus();
    next?.scrollIntoView({ block: "nearest" });
  };
  const press = (key) => {
    const chosen = document.activeElement?.closest("[data-item]");
    const found = chosen?.querySelector(`[data-key="${key}"]`) ?? live().querySelector(`[data-key="${key}"]`);
    found?.focus();
    found?.click();
    return Boolean(found);
  };
  const help = document.getElementById("help");
  const keys = {
    j: () => step(1), k: () => step(-1), p: () => press("p"), r: () => press("r"), D: () => press("D"),
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
  const asks = document.getElementById("ask-help");
  asks.hidden = false;
  asks.addEventListener("click", () => help.showModal());

  document.getElementById("zone").textContent = `Times are ${Intl.DateTimeFormat().resolvedOptions().timeZone || "local"}.`;
  localise(document);
  setInterval(tick, 1000);
  setInterval(look, SLOW_MS);
  if (!document.hidden) listen();
})();
