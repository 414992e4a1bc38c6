// An answer that replaces the control which has the focus leaves it nowhere: the next Tab begins at the top of the page.
// So the focus goes on to the control's successor: the one of the same kind and place in the nearest region (an ancestor
// with an id) that is still there; where there is none, to what opened the form, else to the region's first control. htmx
// does it by itself for controls with an id; queue.js and morph.js know better for their rows, and go first.
(function () {
  const asked = new WeakMap();  // request of a person -> where the focus was: a button is switched off while it runs
  let swapped = null;  // where it was when an answer, also to a poll, began to replace something
  let opener = null;  // where it was when the dialog was asked for

  const kindOf = (element) => [...element.classList].filter((name) => !name.startsWith("htmx-")).sort().join(" ")
    + ` ${element.tagName} ${element.getAttribute("name") || ""}`;
  const controls = (region) => [...region.querySelectorAll("a[href], button, input, select, textarea, summary")]
    .filter((one) => !one.disabled && one.checkVisibility());
  const alike = (region, kind) => controls(region).filter((one) => kindOf(one) === kind);

  function here() {
    const element = document.activeElement;
    return element && element !== document.body && !element.closest("dialog") ? placeOf(element) : null;
  }
  function placeOf(element) {
    const kind = kindOf(element), regions = [];
    for (let at = element.parentElement?.closest("[id]"); at; at = at.parentElement?.closest("[id]")) {
      regions.push({ id: at.id, index: alike(at, kind).indexOf(element) });
    }
    const summary = element.closest("details")?.querySelector("summary");
    return { element, kind, regions, opened: summary && summary !== element ? placeOf(summary) : null };
  }
  const there = ({ regions }) => regions.find(({ id }) => document.getElementById(id));
  function same(place) {
    if (place.element.id && document.getElementById(place.element.id)) return document.getElementById(place.element.id);
    const region = there(place);
    const found = region ? alike(document.getElementById(region.id), place.kind) : [];
    return found[region?.index] ?? found.at(-1) ?? null;
  }
  function successor(place) {
    const region = there(place);
    const first = () => (region ? controls(document.getElementById(region.id))[0] : null);
    return same(place) ?? (place.opened && same(place.opened)) ?? first();
  }
  // Somebody who went elsewhere in the meantime is left there; nothing scrolls.
  function goOn(place) {
    if (!place || document.activeElement !== document.body || document.querySelector("dialog[open]")) return;
    if (place.element.isConnected && place.element.checkVisibility()) return;
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
