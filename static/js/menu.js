// Menus (<details class="menu">) close on Escape and on a click outside; dialogs open from data-dialog="id" and give
// the focus back; data-copy="text" copies, and data-copy-from="id"
// what stands there. A dialog that htmx put into #dialog opens by itself.
(function () {
  const openMenus = () => document.querySelectorAll("details.menu[open]");
  const openers = new WeakMap();
  const SAID = 80; // characters that are told of what was copied

  function show(dialog, opener) {
    if (!dialog || dialog.open) return;
    openers.set(dialog, opener || document.activeElement);
    dialog.showModal();
    dialog.querySelector("[autofocus], [aria-invalid=true]")?.focus();
  }

  // A list that would stand out of the window is moved into it.
  function fit(menu) {
    const list = menu.querySelector(":scope > .menu-list");
    if (!list) return;
    list.style.translate = "";
    const box = list.getBoundingClientRect();
    const right = document.documentElement.clientWidth - 4 - box.right;
    list.style.translate = `${Math.max(Math.min(right, 0), 4 - box.left)}px`;
  }

  document.addEventListener("toggle", (event) => { if (event.target.matches?.("details.menu[open]")) fit(event.target); }, true);
  addEventListener("resize", () => openMenus().forEach(fit));

  function giveFocusBack(dialog) {
    const opener = openers.get(dialog);
    // The opener may have been swapped for its successor with the same id.
    const target = opener?.isConnected ? opener : opener?.id && document.getElementById(opener.id);
    if (target && document.activeElement === document.body) target.focus();
  }

  document.addEventListener("click", (event) => {
    for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
    const opener = event.target.closest("[data-dialog]");
    const dialog = opener && document.getElementById(opener.dataset.dialog);
    if (dialog) { event.preventDefault(); show(dialog, opener); }
    const closer = event.target.closest("dialog[open] [data-dialog-close]");
    // Where the form is a page of its own, the same closer is a link that leads back.
    if (closer) { event.preventDefault(); closer.closest("dialog").close(); }
    // A click on the backdrop is a click on the dialog itself, outside of its parts.
    if (event.target.matches("dialog") && outside(event)) event.target.close();
    const copy = event.target.closest("[data-copy], [data-copy-from]");
    if (copy) copyText(copy);
  });

  function outside(event) {
    const box = event.target.getBoundingClientRect();
    return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
  }

  async function copyText(button) {
    const words = document.getElementById("toast-error")?.dataset || {};
    const text = button.dataset.copy ?? document.getElementById(button.dataset.copyFrom).textContent;
    try {
      await navigator.clipboard.writeText(text);
      say(`${words.copied}: ${text.length > SAID ? `${text.slice(0, SAID)}…` : text}`);
    } catch {
      say(words.notCopied);
    }
    const menu = button.closest("details.menu");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
  }

  function say(text) { document.dispatchEvent(new CustomEvent("soar:say", { detail: text })); }

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of openMenus()) {
      menu.open = false;
      menu.querySelector("summary").focus();
      event.stopPropagation();
    }
  }, true);

  // Tabbing out of a menu closes it: it would cover what has the focus.
  document.addEventListener("focusin", (event) => {
    for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
  });

  document.addEventListener("close", (event) => giveFocusBack(event.target), true);
  // Settled: htmx itself moves the focus to [autofocus] until then.
  document.addEventListener("htmx:afterSettle", (event) => {
    const target = event.detail.target;
    if (target?.id === "dialog" && target.innerHTML.trim()) show(target, event.detail.requestConfig?.elt);
  });
  // A server answer that is done with the dialog says so: HX-Trigger: dialog-close.
  document.addEventListener("dialog-close", () => { for (const open of document.querySelectorAll("dialog[open]")) open.close(); });
})();
