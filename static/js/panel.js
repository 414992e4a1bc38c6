// The queue's side panel: in a wide window a click (or Enter) on a title opens the alert beside the list, under the
// alert's own address; in a narrow one, or with a modifier key, it is an ordinary link.
(function () {
  const WIDE = matchMedia("(min-width: 1181px)");
  const panel = () => document.getElementById("panel");
  const page = () => document.getElementById("queue-page");
  const list = location.pathname + location.search;
  let opened = "";

  function show(url, push) {
    // From one alert to the next the address is replaced: Back leads out of the panel, not through all that was read.
    if (push) history[opened ? "replaceState" : "pushState"]({ panel: url }, "", url);
    opened = url;
    page().dataset.panel = url;
    htmx.ajax("GET", `${url}panel/`, { target: "#panel", swap: "outerHTML" });
  }
  function close(push) {
    if (!opened) return;
    const row = document.querySelector(`#alert-table .c-title a[href="${opened}"]`);
    opened = "";
    hide();
    if (push) history.pushState(null, "", back());
    row?.focus();
  }
  function hide() {
    page()?.classList.remove("split");
    const old = panel();
    if (old) { old.replaceChildren(); old.hidden = true; }
  }
  // The filter may have been changed since the page was loaded: htmx then pushed its address.
  let place = list;
  addEventListener("htmx:pushedIntoHistory", (event) => { place = event.detail.path; if (opened) close(false); });
  const back = () => place;

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-panel-close]")) { event.preventDefault(); close(true); return; }
    const link = event.target.closest("#alert-table .c-title a, #panel [data-panel-to]");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    if (!WIDE.matches || link.getAttribute("href") === opened) return;
    event.preventDefault();
    show(link.getAttribute("href"), true);
  });

  // j and k lead the panel along (queue.js).
  document.addEventListener("soar:cursor", (event) => {
    if (opened && WIDE.matches && event.detail && event.detail !== opened) show(event.detail, true);
  });

  addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target?.id !== "panel") return;
    // Closed, or already on the way to another, before this one came.
    if (panel()?.dataset.url !== opened) { if (!opened) hide(); return; }
    page()?.classList.add("split");
    for (const row of document.querySelectorAll("#alert-table tr[aria-current]")) row.removeAttribute("aria-current");
    document.querySelector(`#alert-table .c-title a[href="${opened}"]`)?.closest("tr")?.setAttribute("aria-current", "true");
  });
  addEventListener("popstate", (event) => {
    if (event.state?.panel) show(event.state.panel, false); else close(false);
  });
})();
