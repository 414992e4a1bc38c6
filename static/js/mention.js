// Whom an @ may mean: while a name is typed in a <textarea data-mention="…/people/"> the server's list stands below it.
// Arrow keys choose, Enter or Tab takes, Escape closes; a click takes as well. Without scripts the name is typed.
(function () {
  const TYPED = /(?:^|[^\p{L}\p{N}_@./+-])@([\p{L}\p{N}_.@+-]{0,60})$/u;
  let box = null, field = null, asked = 0;

  const options = () => (box ? [...box.querySelectorAll("[role=option]")] : []);
  const current = () => options().find((one) => one.getAttribute("aria-selected") === "true");
  const typed = (area) => TYPED.exec(area.value.slice(0, area.selectionStart))?.[1];

  function close() {
    box?.remove();
    field?.removeAttribute("aria-activedescendant");
    field?.removeAttribute("aria-controls");
    box = field = null;
    asked += 1;
  }

  function choose(option) {
    for (const one of options()) one.setAttribute("aria-selected", String(one === option));
    field.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  function take(option) {
    const area = field, end = area.selectionStart, start = end - typed(area).length;
    area.setRangeText(`${option.dataset.name} `, start, end, "end");
    close();
    area.focus();
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function say(text) {
    const line = document.getElementById("live");
    if (line) line.textContent = text;
  }

  async function offer(area, begins) {
    const turn = (asked += 1);
    const answer = await fetch(`${area.dataset.mention}?q=${encodeURIComponent(begins)}`, { headers: { "HX-Request": "true" } });
    const text = answer.ok ? await answer.text() : "";
    if (turn !== asked || document.activeElement !== area || typed(area) !== begins) return;
    close();
    const holder = document.createElement("div");
    holder.className = "mentions";
    holder.innerHTML = text;
    if (!holder.querySelector("[role=option]")) return;
    area.after(holder);
    [box, field] = [holder, area];
    area.setAttribute("aria-controls", "mention-list");
    choose(options()[0]);
    say(options().map((one) => one.textContent.trim().replace(/\s+/g, " ")).join(", "));
  }

  document.addEventListener("input", (event) => {
    const area = event.target.closest?.("textarea[data-mention]");
    if (!area) return;
    const begins = typed(area);
    if (begins === undefined) close();
    else offer(area, begins).catch(close);
  });
  document.addEventListener("keydown", (event) => {
    if (!box || event.target !== field || event.isComposing) return;
    const all = options(), at = all.indexOf(current());
    if (event.key === "ArrowDown" || event.key === "ArrowUp") choose(all.at((at + (event.key === "ArrowDown" ? 1 : -1)) % all.length));
    else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey && !event.ctrlKey && !event.metaKey) take(current());
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }, true);
  document.addEventListener("mousedown", (event) => {
    const option = box && event.target.closest?.(".mentions [role=option]");
    if (option) { event.preventDefault(); take(option); }
  });
  document.addEventListener("focusout", (event) => { if (event.target === field) close(); });
})();
