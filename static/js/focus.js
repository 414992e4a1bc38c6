// An answer that replaces the control which has the focus leaves it nowhere: the next Tab begins at the top of the page.
// So the focus goes on to the control's successor: the one of the same kind and place in the nearest region (an ancestor
// with an id) that is still there. htmx does it by itself for controls with an id; queue.js and morph.js know better for
// their rows, and go first.
(function () {
  const asked = new WeakMap();  // request of a person -> where the focus was: a button is switched off while it runs
  let swapped = null;  // where it was when an answer, also to a poll, began to replace something
  let opener = null;  // where it was when the dialog was asked for

  const kindOf = (element) => [...element.classList].filter((name) => !name.startsWith("htmx-")).sort().join(" ")
    + ` ${element.tagName} ${element.getAttribute("name") || ""}`;
  const alike = (region, kind) => [...region.querySelectorAll("a[href], button, input, select, textarea, summary")]
    .filter((one) => kindOf(one) === kind && !one.disabled && one.getClientRects().length);

  function here() {
    const element = document.activeElement;
    if (!element || element === document.body || element.closest("dialog")) return null;
    const kind = kindOf(element), regions = [];
    for (let at = element.parentElement?.closest("[id]"); at; at = at.parentElement?.closest("[id]")) {
      regions.push({ id: at.id, index: alike(at, kind).indexOf(element) });
    }
    return { element, kind, regions };
  }
  function successor({ element, kind, regions }) {
    if (element.id && document.getElementById(element.id)) return document.getElementById(element.id);
    for (const { id, index } of regions.slice(0, 3)) {
      const region = document.getElementById(id);
      const found = region ? alike(region, kind) : [];
      if (found.length) return found[index] ?? found.at(-1);
    }
    return null;
  }
  // Somebody who went elsewhere in the meantime is left there; nothing scrolls.
  function goOn(place) {
    if (!place || document.activeElement !== document.body || document.querySelector("dialog[open]")) return;
    if (place.element.isConnected && place.element.getClientRects().length) return;
    successor(place)?.focus({ preventScroll: true });
  }

  addEventListener("htmx:beforeRequest", (event) => {
    const { xhr, requestConfig, target } = event.detail;
    const place = here();
    if (!place || requestConfig?.triggeringEvent?.type === "poll") return;
    asked.set(xhr, place);
    if (target?.id === "dialog") opener = place;
  });
  const remember = () => { swapped = here() ?? swapped; };
  addEventListener("htmx:beforeSwap", remember);
  addEventListener("htmx:oobBeforeSwap", remember);
  addEventListener("htmx:afterRequest", (event) => {
    // When it has settled, and after what others do then.
    setTimeout(() => {
      for (const place of [swapped, asked.get(event.detail.xhr), opener]) goOn(place);
      swapped = null;
      if (!document.querySelector("dialog[open]")) opener = null;
    }, 80);
  });
})();
