// The swap "morph" (and morph:outerHTML, morph:innerHTML) for htmx 2: keeps elements, focus and open menus in place.
// Not idiomorph's own glue: that one takes every swap for an inline one, so with hx-ext="morph" on <body> an
// out-of-band "beforeend" would put in the wrapper itself; and it builds its options from text by evaluating it, which CSP forbids.
// What the reader opened (<details data-keep>) stays open, though the server knows nothing of it.
// What the reader typed or ticked and has not sent stays too: only polls and run pages morph, never the answer to a form.
// A <form data-whole> stays as a whole then, with the hidden field that says what it was made from; so does one that came
// back with a refusal (data-refused): what was typed is its value.
const own = (field) => {
  if (field instanceof HTMLTextAreaElement) return field.value !== field.defaultValue;
  if (field instanceof HTMLSelectElement) {
    const options = [...field.options];
    const first = options.find((option) => option.defaultSelected) ?? options[0];
    return !field.multiple && first !== undefined && !first.selected;
  }
  if (!(field instanceof HTMLInputElement) || field.type === "hidden") return false;
  if (["checkbox", "radio"].includes(field.type)) return field.checked !== field.defaultChecked;  // without a value theirs is "on"
  return field.value !== field.defaultValue;
};
const busy = (form) => form.hasAttribute("data-refused") || [...form.elements].some(own);
// A form that came when its <details> was opened is not taken away by an answer that was made before.
const came = (old, fresh) => old instanceof HTMLDetailsElement && !old.hasAttribute("hx-get") && fresh instanceof HTMLDetailsElement && fresh.hasAttribute("hx-get");
const beforeNodeMorphed = (old, fresh) => !(own(old) || came(old, fresh) || (old instanceof HTMLFormElement && old.hasAttribute("data-whole") && busy(old)));
// Nor is a form taken away in which somebody has begun to write: sent, what they wrote comes back with the way to go on.
const written = (form) => form.matches(".compose, [data-whole]") && busy(form);
const beforeNodeRemoved = (old) => !(old instanceof Element && [old, ...old.querySelectorAll("form")].some((one) => one.matches("form") && written(one)));
const beforeAttributeUpdated = (name, element) => !(name === "open" && element.matches("details[data-keep]"));
// Where rows are worked off (data-rows on the region, which has an id): when the row that has the focus goes, the focus
// goes to the same control of the row that has taken its place, of the last one, or to the region's heading.
const rowsOf = (region) => [...region.querySelectorAll(".rows > li, tbody > tr")];
const sort = (id) => id.replace(/[-\d]*$/, "");  // "retry-12" is a "retry"
function placeOf(at, target) {
  const region = at?.closest("[data-rows]");
  const row = region && at.closest("li, tr");
  if (!row || !target.contains(at)) return null;
  return { region: region.id, row: rowsOf(region).indexOf(row), sort: sort(at.id) };
}
function goTo(place) {
  const region = document.getElementById(place.region);
  if (!region) return;
  const rows = rowsOf(region);
  const controls = [...(rows[place.row] ?? rows.at(-1))?.querySelectorAll("button, select, input:not([type=hidden]), a[href]") ?? []];
  const next = controls.find((one) => one.id && sort(one.id) === place.sort) ?? controls.find((one) => one.id) ?? controls[0];
  const heading = region.querySelector("[data-heading], h1, h2");
  if (!next && heading) heading.tabIndex = -1;
  (next ?? heading)?.focus();
}
htmx.defineExtension("morph", {
  isInlineSwap: (style) => style === "morph" || style === "morph:outerHTML",
  handleSwap(style, target, fragment) {
    if (!/^morph(:outerHTML|:innerHTML)?$/.test(style)) return false;
    const morphStyle = style === "morph:innerHTML" ? "innerHTML" : "outerHTML";
    const place = placeOf(document.activeElement, target);
    const swapped = Idiomorph.morph(target, fragment.children, { morphStyle, callbacks: { beforeNodeMorphed, beforeNodeRemoved, beforeAttributeUpdated } });
    if (place && document.activeElement === document.body) goTo(place);
    return swapped;
  },
});
