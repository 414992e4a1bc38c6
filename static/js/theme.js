// Before the stylesheet: "auto" follows the system; says that scripts run; the switch works without loading a page.
(function () {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  root.classList.add("js");
  const shown = () => (root.dataset.theme === "auto" ? (dark.matches ? "dark" : "light") : root.dataset.theme);
  const apply = () => { root.dataset.bsTheme = shown(); };
  apply();
  dark.addEventListener("change", apply);

  // The button's value is what it switches to, so it has to follow what is shown.
  const aim = () => {
    for (const button of document.querySelectorAll("[data-theme-form] [name=theme]")) {
      button.value = shown() === "dark" ? "light" : "dark";
    }
  };
  document.addEventListener("DOMContentLoaded", aim);
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-theme-form]");
    if (!form || !event.submitter) return;
    event.preventDefault();
    const body = new FormData(form, event.submitter);
    root.dataset.theme = event.submitter.value;
    apply();
    aim();
    fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" } }).catch(() => {});
  });
})();
