// The swap "morph" (and morph:outerHTML, morph:innerHTML) for htmx 2: keeps elements, focus and open menus in place.
// Not idiomorph's own glue: that one takes every swap for an inline one, so with hx-ext="morph" on <body> an
// out-of-band "beforeend" would put in the wrapper itself; and it builds its options from text by evaluating it, which CSP forbids.
// What the reader opened (<details data-keep>) stays open, though the server knows nothing of it.
const beforeAttributeUpdated = (name, element) => !(name === "open" && element.matches("details[data-keep]"));
htmx.defineExtension("morph", {
  isInlineSwap: (style) => style === "morph" || style === "morph:outerHTML",
  handleSwap(style, target, fragment) {
    if (!/^morph(:outerHTML|:innerHTML)?$/.test(style)) return false;
    const morphStyle = style === "morph:innerHTML" ? "innerHTML" : "outerHTML";
    return Idiomorph.morph(target, fragment.children, { morphStyle, callbacks: { beforeAttributeUpdated } });
  },
});
