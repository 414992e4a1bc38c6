// Keeps an open page true. Fires "poll" on <body> (regions say hx-trigger="poll from:body"):
// every 3 to 5 s while seen and used, every 60 s when nobody touches it, never while hidden.
// Leaves out timeline entries that are already there, and keeps the words of <time data-ago> right.
(function () {
  const BUSY = 4000, IDLE = 60000, IDLE_AFTER = 120000;
  let lastUse = Date.now(), lastPoll = Date.now(), failures = 0, timer = 0;

  const pause = () => {
    const wanted = Date.now() - lastUse > IDLE_AFTER ? IDLE : BUSY * (0.75 + Math.random() / 2);
    return Math.min(IDLE, wanted * 2 ** failures);
  };

  function plan() {
    clearTimeout(timer);
    if (document.hidden) return;
    timer = setTimeout(poll, pause());
  }

  function poll() {
    if (document.hidden) return;
    lastPoll = Date.now();
    document.body.dispatchEvent(new CustomEvent("poll"));
    plan();
  }

  function used() {
    const slept = Date.now() - lastUse > IDLE_AFTER;
    lastUse = Date.now();
    // Back at the page: do not let the reader look at a minute-old state.
    if (slept && Date.now() - lastPoll > BUSY) poll();
  }

  for (const kind of ["pointerdown", "pointermove", "keydown", "scroll"]) {
    addEventListener(kind, used, { passive: true, capture: true });
  }
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { clearTimeout(timer); return; }
    lastUse = Date.now();
    refreshTimes();
    if (Date.now() - lastPoll > BUSY) poll(); else plan();
  });

  // --- answers to a poll: slower after a failure, and the "Live" mark says so
  const polled = (event) => event.detail.requestConfig?.triggeringEvent?.type === "poll";
  function settle(failed) {
    failures = failed ? Math.min(failures + 1, 6) : 0;
    for (const mark of document.querySelectorAll("[data-live]")) {
      mark.classList.toggle("t-green", !failed);
      mark.classList.toggle("t-amber", failed);
      mark.textContent = failed ? mark.dataset.livePaused : mark.dataset.live;
    }
    if (failed) plan();
  }
  addEventListener("htmx:afterRequest", (event) => { if (polled(event)) settle(!event.detail.successful); });

  // --- entries that the page has already are not put in twice (two polls may cross, or a verb and a poll)
  const adds = (style) => /^(afterbegin|beforeend)/.test(style || "");
  function dropKnown(parent) {
    const known = [...parent.children].filter((entry) => (
      entry.id && !entry.hasAttribute("hx-swap-oob") && document.getElementById(entry.id)
    ));
    for (const entry of known) entry.remove();
    return known.length;
  }
  addEventListener("htmx:beforeSwap", (event) => {
    const { elt, shouldSwap, serverResponse } = event.detail;
    // The event's elt is the target; how it swaps stands on the element that asked.
    const asked = event.detail.requestConfig?.elt ?? elt;
    const main = adds(asked?.getAttribute("hx-swap"));
    if (!shouldSwap || typeof serverResponse !== "string" || !(main || serverResponse.includes("hx-swap-oob"))) return;
    const holder = document.createElement("template");
    holder.innerHTML = serverResponse;
    let dropped = main ? dropKnown(holder.content) : 0;
    for (const part of holder.content.querySelectorAll("[hx-swap-oob]")) {
      if (adds(part.getAttribute("hx-swap-oob"))) dropped += dropKnown(part);
    }
    if (dropped) event.detail.serverResponse = holder.innerHTML;
  });

  // --- relative times; the same steps as soar.lib.text.ago
  function words(seconds) {
    if (seconds < 60) return `${seconds} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
    if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
    return `${Math.floor(seconds / 86400)} d`;
  }
  // the same steps as soar.lib.text.span_words
  function span(seconds) {
    if (seconds < 3600) return words(seconds);
    const minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60);
    if (hours < 24) return `${hours} h${minutes % 60 ? ` ${String(minutes % 60).padStart(2, "0")}` : ""}`;
    return `${Math.floor(hours / 24)} d${hours % 24 ? ` ${hours % 24} h` : ""}`;
  }
  function refreshTimes() {
    const now = Date.now();
    for (const time of document.querySelectorAll("time[data-ago]")) {
      const seconds = Math.max(0, Math.floor((now - Date.parse(time.dateTime)) / 1000));
      if (Number.isNaN(seconds)) continue;
      const text = words(seconds) + (time.dataset.ago === "ago" ? " ago" : "");
      if (time.textContent !== text) time.textContent = text;
    }
    for (const time of document.querySelectorAll("time[data-due]")) {
      const left = Math.floor((Date.parse(time.dateTime) - now) / 1000);
      if (Number.isNaN(left)) continue;
      const late = left < 0;
      const text = (late && time.dataset.due === "left" ? "−" : "") + span(Math.abs(left));
      if (time.textContent !== text) time.textContent = text;
      if (late && time.dataset.due === "left") time.classList.replace("is-at_risk", "is-overdue");
    }
  }
  setInterval(() => { if (!document.hidden) refreshTimes(); }, 10000);
  refreshTimes();
  plan();
})();
