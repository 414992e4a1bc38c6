// The mapping editor. Without it every button sends the form and the page comes back; with it nothing is loaded anew.
//
//   #target                    which field a chosen value goes to; follows the field that has the focus
//   input[data-map]            a field; "observable" is any line of the observables
//   #json button[name="pick"]  a value of the sample; arrows, Home and End go from one to the next
//   button[data-clear]         empties the field of that id
(function () {
  const form = document.getElementById("map"), target = document.getElementById("target");
  if (!form || !target) return;
  let last = null; // the line of the observables that had the focus
  let at = 0; // the value of the sample that had it

  const picks = () => [...form.querySelectorAll('#json button[name="pick"]')];
  const tell = (field) => field.dispatchEvent(new Event("input", { bubbles: true }));

  function mark() {
    for (const pair of form.querySelectorAll(".pair")) {
      const field = pair.querySelector("[data-map]");
      pair.classList.toggle("sel", Boolean(field) && field.dataset.map === target.value);
    }
  }
  function field() {
    if (target.value !== "observable") return form.querySelector(`[data-map="${target.value}"]`);
    const lines = [...form.querySelectorAll('[data-map="observable"]')];
    return (last && lines.includes(last) && last) || lines.find((line) => !line.value) || lines.at(-1);
  }
  function rove() {
    const all = picks();
    at = Math.min(at, all.length - 1);
    all.forEach((pick, number) => { pick.tabIndex = number === at ? 0 : -1; });
  }

  form.addEventListener("focusin", (event) => {
    const name = event.target.dataset && event.target.dataset.map;
    if (name) {
      last = name === "observable" ? event.target : null;
      target.value = name;
      mark();
    }
    const place = event.target.name === "pick" ? picks().indexOf(event.target) : -1;
    if (place >= 0) { at = place; rove(); }
  });
  target.addEventListener("input", (event) => { last = null; mark(); event.stopPropagation(); });
  form.addEventListener("click", (event) => {
    const clear = event.target.closest("[data-clear]"), pick = event.target.closest('button[name="pick"]');
    if (clear) {
      const cleared = document.getElementById(clear.dataset.clear);
      cleared.value = "";
      cleared.focus();
      tell(cleared);
    } else if (pick) {
      event.preventDefault();
      const into = field();
      if (!into) return;
      into.value = pick.value;
      for (const other of picks()) other.classList.toggle("sel", other === pick);
      tell(into);
    }
  });
  form.addEventListener("keydown", (event) => {
    if (event.target.name !== "pick") return;
    const all = picks(), place = all.indexOf(event.target);
    const to = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined || !all[to]) return;
    event.preventDefault();
    all[to].focus();
  });
  document.addEventListener("htmx:afterSettle", () => { mark(); rove(); });
  mark();
  rove();
})();
