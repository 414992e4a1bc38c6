// Looks at a page for tests/browser/looking.py. Needs axe.
const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
window.looking = {
  // What axe finds: by `only` these rules (none: all, and that what is touched is large enough), leaving out `without`.
  async rules(only, without) {
    const options = { resultTypes: ["violations"], preload: false, rules: { "target-size": { enabled: true } } };
    if (only.length) Object.assign(options, { runOnly: { type: "rule", values: only }, rules: {} });
    const { violations } = await axe.run({ exclude: without }, options);
    const told = (node) => `${node.target.join(" ")} ${node.html.slice(0, 160)} ${node.any[0]?.message ?? ""}`;
    return violations.map((rule) => [`${rule.id}: ${rule.help}`, ...rule.nodes.slice(0, 4).map(told)].join("\n    "));
  },

  // Opens every menu and whatever else is folded, as a reader may.
  unfold() {
    for (const one of document.querySelectorAll("main details")) one.open = true;
  },

  // What a reader cannot reach: a page wider than its window, what stands out of it, a text that is cut off by a box
  // that does not scroll. What ends in "…" is whole a click away.
  async lost() {
    await frame();  // what the page itself does about its new width
    const root = document.documentElement, width = root.clientWidth, found = new Set();
    const unseen = ".visually-hidden, .skip, dialog:not([open]), [aria-hidden=true], option, script, style";
    const parts = "button, input:not([type=hidden]), select, textarea, summary, a[href], svg, img, progress, meter";
    const styles = new Map();
    const style = (el) => styles.get(el) ?? styles.set(el, getComputedStyle(el)).get(el);
    const seen = (el) => !el.closest(unseen) && el.checkVisibility({ visibilityProperty: true });
    const name = (el) => `${el.tagName.toLowerCase()}.${el.getAttribute("class") ?? ""} in #${el.closest("[id]")?.id}`;
    const outside = (box) => box.right > width + 1 || box.left < -1;

    // "scroll": a box brings it into view; "dots": shortened; "cut": hidden by a box; "": nothing holds it.
    const held = (el, box) => {
      for (let up = el; up && up !== root; up = up.parentElement) {
        const it = style(up), rect = up.getBoundingClientRect();
        if (["auto", "scroll"].includes(it.overflowX)) return "scroll";
        if (it.clipPath === "inset(50%)") return "dots";
        if (!["hidden", "clip"].includes(it.overflowX)) continue;
        if (it.textOverflow === "ellipsis" || it.webkitLineClamp !== "none") return "dots";
        const wide = box.right > rect.right + 1.5 || box.left < rect.left - 1.5;
        const high = it.overflowY !== "visible" && (box.bottom > rect.bottom + 3 || box.top < rect.top - 3);
        if (wide || high) return "cut";
      }
      return "";
    };

    if (root.scrollWidth > width) found.add(`the page is ${root.scrollWidth} wide`);
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), range = document.createRange();
    while (texts.nextNode()) {
      const text = texts.currentNode, el = text.parentElement, words = text.data.trim().slice(0, 40);
      if (!words || !seen(el)) continue;
      range.selectNodeContents(text);
      const box = range.getBoundingClientRect();
      if (!box.width || !box.height) continue;
      const how = held(el, box);
      if (how === "cut") found.add(`cut off: "${words}" ${name(el)}`);
      if (!how && outside(box)) found.add(`out of the window: "${words}" ${name(el)}`);
    }
    for (const el of document.querySelectorAll(parts)) {
      const box = el.getBoundingClientRect();
      if (box.width && outside(box) && seen(el) && !held(el.parentElement, box)) found.add(`out of the window: ${name(el)}`);
    }
    return [...found].slice(0, 6);
  },
};
