// data-compose="handoff" leads to the note of the page and makes it one of that kind, without loading the page anew: what
// is being typed stays. Without scripts the link's own address does it.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-compose]");
  const note = link && document.getElementById("note");
  if (!note || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const kind = note.form.elements.kind;
  if (kind) kind.value = link.dataset.compose;
  note.focus();
});
// The address of an entry that is not on the page yet (#entry-7) is asked for; its part of the timeline comes with it.
(function () {
  const find = () => {
    const number = /^#entry-(\d+)$/.exec(location.hash)?.[1];
    const asked = new URLSearchParams(location.search).get("entry");
    if (number && number !== asked && !document.getElementById(`entry-${number}`)) location.replace(`?entry=${number}${location.hash}`);
  };
  addEventListener("hashchange", find);
  find();
})();
