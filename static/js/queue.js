// Lists with a keyboard: tables with rows that tick (bulk bar #bulk-bar), and the keys of detail pages.
//
//   table.queue, table.picks   the list; tbody tr[id] is a row: .c-title a opens it, input[type=checkbox] in .c-x ticks it
//   [data-check-all]           ticks the page
//   #bulk-bar[data-count]      hidden by soar.css while the count is 0; data-total = all that match the filter
//     [data-bulk-count]        the figure; [data-bulk-all] says "all that match" (sets #bulk-everything to 1);
//     [data-bulk-some]         back to the ticked ones; [data-bulk-clear] clears
//   [data-key="a"]             what the key presses: in the row under the cursor, else in the bar, else on the page
//   a[data-go="i"]             where "g i" goes
(function () {
  const $ = (selector, root = document) => root.querySelector(selector);
  const rows = () => [...document.querySelectorAll("table:is(.queue,.picks) tbody tr[id]")];
  const tick = (row) => $(".c-x input[type=checkbox]", row);
  const ticked = () => rows().filter((row) => tick(row)?.checked);
  let lastTicked = null, cursorId = "", going = 0;

  // --- ticking and the bar
  function paint() {
    const all = rows().filter(tick), chosen = ticked(), bar = $("#bulk-bar"), head = $("[data-check-all]");
    for (const row of all) row.classList.toggle("sel", tick(row).checked);
    if (head) {
      head.checked = all.length > 0 && chosen.length === all.length;
      head.indeterminate = chosen.length > 0 && chosen.length < all.length;
    }
    if (bar) paintBar(bar, chosen.length, all.length);
  }
  function paintBar(bar, count, onPage) {
    const everything = $("#bulk-everything");
    if (everything && (!count || count < onPage)) everything.value = "";
    const whole = everything?.value === "1";
    const total = Number(bar.dataset.total || 0);
    bar.dataset.count = count;
    const figure = $("[data-bulk-count]", bar);
    if (figure) figure.textContent = whole ? bar.dataset.totalText || bar.dataset.total : count;
    const more = $("[data-bulk-all]", bar), less = $("[data-bulk-some]", bar);
    if (more) more.hidden = whole || count < onPage || total <= count;
    if (less) less.hidden = !whole;
  }
  function setAll(on) { for (const row of rows()) if (tick(row)) tick(row).checked = on; paint(); }
  function whole(on) {
    const field = $("#bulk-everything");
    if (field) field.value = on ? "1" : "";
    paint();
  }

  document.addEventListener("click", (event) => {
    const box = event.target.closest("table:is(.queue,.picks) .c-x input[type=checkbox]");
    if (event.target.matches("[data-check-all]")) setAll(event.target.checked);
    else if (box) range(box, event.shiftKey);
    else if (event.target.closest("[data-bulk-all]")) whole(true);
    else if (event.target.closest("[data-bulk-some]")) whole(false);
    else if (event.target.closest("[data-bulk-clear]")) { whole(false); setAll(false); }
  });
  document.addEventListener("bulk-clear", () => { whole(false); setAll(false); });
  // Shift + click ticks everything between this row and the one ticked before.
  function range(box, shift) {
    const list = rows(), here = box.closest("tr"), from = list.indexOf(lastTicked?.isConnected ? lastTicked : here);
    if (shift && from >= 0) {
      const [low, high] = [from, list.indexOf(here)].sort((a, b) => a - b);
      for (const row of list.slice(low, high + 1)) if (tick(row)) tick(row).checked = box.checked;
    }
    lastTicked = here;
    paint();
  }

  // --- the cursor
  const current = () => (cursorId && document.getElementById(cursorId)) || $("table:is(.queue,.picks) tr.cur");
  function move(step) {
    const list = rows();
    if (!list.length) return;
    const at = list.indexOf(current());
    const next = list[at < 0 ? 0 : Math.max(0, Math.min(list.length - 1, at + step))];
    focusRow(next);
    next.scrollIntoView({ block: "nearest" });
    // An open side panel goes along.
    document.dispatchEvent(new CustomEvent("soar:cursor", { detail: $(".c-title a", next)?.getAttribute("href") }));
  }
  // On an alert's own page there are no rows: to the alert that stands beside it in the queue (beside.js).
  const beside = (step) => $(`[data-beside] a[data-step="${step}"]:not([hidden])`)?.click();
  function setCursor(row) {
    for (const old of document.querySelectorAll("table:is(.queue,.picks) tr.cur")) old.classList.remove("cur");
    cursorId = row.id;
    row.classList.add("cur");
  }
  function focusRow(row) {
    setCursor(row);
    ($(".c-title a", row) || row).focus({ preventScroll: true });
  }
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest?.("table:is(.queue,.picks) tbody tr[id]");
    if (row) setCursor(row);
  });

  // --- keys
  const off = () => document.body.dataset.shortcuts === "off";
  const typing = (target) => target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");

  // The alert in the side panel is the one that is being read: keys go to it and to no other, unless rows are ticked.
  // While the panel is still fetching the alert under the cursor (panel.js), they go to the cursor.
  function reading() {
    const panel = $("#panel:not([hidden])"), page = $("#queue-page");
    return panel?.dataset.url && panel.dataset.url === page?.dataset.panel ? panel : null;
  }
  function press(key) {
    const row = current(), chosen = ticked().length > 0, panel = !chosen && reading();
    if (panel) return $(`[data-key="${key}"]`, panel)?.click();
    const inRow = !chosen && row && $(`[data-key="${key}"]`, row);
    if (inRow) return inRow.click();
    if ($(`#bulk-bar [data-key="${key}"]`) && (chosen || row)) return working() ? held.push([key, row?.id]) : verb(key, row);
    return $(`[data-key="${key}"]:not(#bulk-bar *, tr *)`)?.click();
  }

  // A verb of the bar takes what is ticked; with nothing ticked the row under the cursor, which is ticked for it.
  let tickedByKey = null;
  function verb(key, row) {
    if (!ticked().length && row && tick(row)) { tickedByKey = row; tick(row).checked = true; paint(); }
    if (ticked().length) $(`#bulk-bar [data-key="${key}"]`)?.click();
  }
  function untick() {
    if (!tickedByKey || working()) return;
    if (tick(tickedByKey)) tick(tickedByKey).checked = false;
    tickedByKey = null;
    paint();
  }
  // While one verb is on its way the next ones wait, each with the row it was pressed on.
  const held = [];
  const working = () => Boolean($("form.htmx-request:has(table:is(.queue,.picks))"));
  function release() {
    if (asked()) held.length = 0;  // as letters are that are pressed while a dialog is on its way
    if (!held.length || working()) return;
    const [key, id] = held.shift();
    untick();
    verb(key, id && document.getElementById(id));
  }
  const does = {
    j: () => (rows().length ? move(1) : beside(1)),
    k: () => (rows().length ? move(-1) : beside(-1)),
    x: () => { const row = current(); if (row && tick(row)) { tick(row).checked = !tick(row).checked; lastTicked = row; paint(); } },
    X: () => reach(),
    Enter: () => { const row = current(); if (row) $(".c-title a", row)?.click(); },
    "/": () => { const field = $("#q") || $("#find"); field?.focus(); field?.select(); },
    "?": () => help(),
    Escape: () => leave(),
    g: () => { going = Date.now(); },
  };
  // Shift + x: all rows from the one that was ticked last to the cursor are as that one is.
  function reach() {
    const list = rows(), row = current();
    if (!row || !tick(row)) return;
    const from = list.indexOf(lastTicked?.isConnected ? lastTicked : row), on = from < 0 || lastTicked !== list[from] || tick(list[from]).checked;
    const [low, high] = [from, list.indexOf(row)].sort((a, b) => a - b);
    for (const one of list.slice(low, high + 1)) if (tick(one)) tick(one).checked = on;
    lastTicked = row;
    paint();
  }
  function help() {
    const url = document.body.dataset.shortcutsUrl;
    if (url) htmx.ajax("GET", url, { target: "#dialog", swap: "innerHTML" });
  }
  // Escape steps back: out of the selection first, then out of the open panel.
  function leave() {
    held.length = 0;
    if (ticked().length) { whole(false); setAll(false); } else $("[data-panel-close]")?.click();
  }

  // A dialog is open, or on its way: what is typed is meant for it.
  const asked = () => $('dialog:is([open], .htmx-swapping), .htmx-request[hx-target="#dialog"]');
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || asked()) return;
    if (typing(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (off() && event.key !== "Escape") return;
    // Enter on a link or button is the browser's own; on a tick box it would send the form to its first button.
    if (event.key === "Enter" && event.target.closest("table:is(.queue,.picks) input")) event.preventDefault();
    else if (event.key === "Enter" && event.target.closest("a, button, summary, label, input")) return;
    if (Date.now() - going < 1500 && event.key !== "g") {
      going = 0;
      const place = $(`a[data-go="${CSS.escape(event.key)}"]`);
      if (place) { event.preventDefault(); place.click(); return; }
    }
    const act = does[event.key] || (/^[a-z]$/.test(event.key) && (() => press(event.key)));
    if (!act) return;
    untick();
    // The letter is not also typed into the field that now gets the focus.
    if (event.key !== "Enter" && event.key !== "Escape") event.preventDefault();
    act();
  });

  // --- a filter that is being typed says so: half a word is no mistake yet
  addEventListener("htmx:configRequest", (event) => {
    if (event.detail.triggeringEvent?.type === "input") event.detail.headers["HX-Typing"] = "true";
  });

  // --- a dialog was closed: the row a key had ticked is as it was, and has the focus, which must not stay in a hidden bar
  function adrift() {
    const at = document.activeElement;
    return !at || at === document.body || !at.isConnected || Boolean(at.closest("#bulk-bar[data-count='0']"));
  }
  document.addEventListener("close", () => {
    untick();
    const row = current();
    if (row && adrift()) focusRow(row);
  }, true);

  // --- to the first of the rows that came, once they stand there
  let firstNew = null;
  document.addEventListener("click", (event) => {
    firstNew = event.target.closest("a[data-first-new]")?.dataset.firstNew ?? firstNew;
  });
  function toNew() {
    const row = rows().find((one) => Number(one.id.replace("alert-", "")) >= Number(firstNew)) || rows()[0];
    firstNew = null;
    if (row) focusRow(row);
  }

  // --- after a swap: the same cursor, the right count
  addEventListener("htmx:afterSettle", (event) => {
    if (firstNew !== null && event.detail.target?.id === "alert-rows") toNew();
    const row = cursorId && document.getElementById(cursorId);
    if (row && !row.classList.contains("cur")) setCursor(row);
    paint();
    release();
  });
  addEventListener("htmx:afterRequest", (event) => { if (!event.detail.successful) release(); });
  paint();
})();
