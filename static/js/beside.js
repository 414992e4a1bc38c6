// The alerts beside the one that is open, as they stood in the queue it was opened from: j and k, or the arrows.
//
//   #alert-table .c-title a     the queue; its addresses are kept for this tab
//   [data-beside]               hidden until the open alert is one of them; on the alert's page and in the panel
//     a[data-step="-1"], a[data-step="1"]   the alert before and the one after; hidden at the ends
(function () {
  const KEPT = "soar.queue";
  const known = () => JSON.parse(sessionStorage.getItem(KEPT) || "[]");

  function keep() {
    const found = [...document.querySelectorAll("#alert-table .c-title a")].map((link) => link.getAttribute("href"));
    if (found.length) sessionStorage.setItem(KEPT, JSON.stringify(found));
  }
  function fill() {
    const beside = document.querySelector("[data-beside]");
    if (!beside) return;
    const list = known(), at = list.indexOf(location.pathname);
    for (const link of beside.querySelectorAll("a[data-step]")) {
      const url = at < 0 ? "" : list[at + Number(link.dataset.step)] || "";
      if (url) link.href = url;
      link.hidden = !url;
    }
    beside.hidden = at < 0;
  }
  addEventListener("htmx:afterSettle", () => { keep(); fill(); });
  keep();
  fill();
})();
