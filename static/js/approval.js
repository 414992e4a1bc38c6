// Counts the ticked boxes for the words on the buttons. Without it the numbers stay as the page was loaded.
"use strict";
document.addEventListener("change", (event) => {
  const form = event.target.closest("form");
  if (event.target.type !== "checkbox" || !form) return;
  for (const place of form.querySelectorAll("[data-ticked]")) {
    place.textContent = form.querySelectorAll(`[name="${place.dataset.ticked}"]:checked`).length;
  }
});
