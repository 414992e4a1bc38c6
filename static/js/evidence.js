// The form for evidence (templates/cases/evidence/add.html): says before the first byte that a file is too large, empty or
// one too many, and shows how far the upload is. The server checks all of it again, and the form works without this.
(function () {
  const form = (event) => (event.target instanceof Element ? event.target.closest("form[data-upload]") : null);

  function complaint({ files, dataset }) {
    if (files.length > Number(dataset.mostFiles)) return dataset.tooMany;
    for (const file of files) {
      if (file.size > Number(dataset.mostBytes)) return `${file.name} ${dataset.tooLarge}`;
      if (!file.size) return `${file.name} ${dataset.empty}`;
    }
    return "";
  }
  document.addEventListener("change", (event) => {
    if (!form(event) || event.target.type !== "file") return;
    event.target.setCustomValidity(complaint(event.target));
    event.target.reportValidity();
  });

  document.addEventListener("htmx:xhr:progress", (event) => {
    const bar = form(event)?.querySelector("progress");
    const { lengthComputable, loaded, total } = event.detail;
    // The answer's own progress comes under the same name; its few bytes move nothing back.
    if (!bar || !lengthComputable || (100 * loaded) / total < bar.value || total < 1024) return;
    bar.hidden = false;
    bar.value = (100 * loaded) / total;
  });
  document.addEventListener("htmx:sendError", (event) => {
    const bar = form(event)?.querySelector("progress");
    if (bar) [bar.hidden, bar.value] = [true, 0];
  });
})();
