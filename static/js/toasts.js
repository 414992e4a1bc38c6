// Toasts: those the server sent fade after a while, errors stay until closed; a failed htmx request becomes one,
// with the reason in words and the id of the request (header X-Request-ID).
(function () {
  const SHOWN = 8000;
  const box = () => document.getElementById("toasts");
  const template = () => document.getElementById("toast-error");

  function leave(message) {
    // Not while somebody reads it or has the focus in it.
    const wait = () => {
      if (message.matches(":hover, :focus-within")) setTimeout(wait, 2000); else message.remove();
    };
    setTimeout(wait, SHOWN);
  }
  function adopt() {
    for (const message of box()?.querySelectorAll("[data-fades]:not([data-seen])") || []) {
      message.dataset.seen = "1";
      leave(message);
    }
  }
  addEventListener("DOMContentLoaded", adopt);
  addEventListener("htmx:afterSettle", adopt);
  addEventListener("htmx:oobAfterSwap", adopt);
  adopt();

  document.addEventListener("click", (event) => { event.target.closest("[data-close]")?.closest(".msg")?.remove(); });
  document.addEventListener("soar:say", (event) => {
    const live = document.getElementById("live");
    if (live) live.textContent = event.detail;
  });

  function add(text, detail, link) {
    const holder = template();
    if (!holder || !box()) return;
    const message = holder.content.firstElementChild.cloneNode(true);
    message.querySelector("[data-text]").textContent = text;
    message.querySelector("[data-detail]").textContent = detail;
    if (link) message.querySelector("[data-detail]").replaceChildren(link);
    const same = [...box().querySelectorAll(".msg [data-text]")].find((old) => old.textContent === text);
    if (same) same.closest(".msg").replaceWith(message); else box().append(message);
  }

  const words = () => template()?.dataset || {};
  function reason(status) {
    const say = words();
    if (status === 401) return say.signedOut;
    if (status === 403) return say.forbidden;
    if (status === 404 || status === 410) return say.gone;
    if (status === 409 || status === 412) return say.conflict;
    if (status === 429) return say.busy;
    return status < 500 ? say.invalid : say.broken;
  }

  // problem+json says it best; a page of HTML is not for a toast.
  function problem(xhr) {
    if (!/json/.test(xhr.getResponseHeader("Content-Type") || "")) return "";
    try { return JSON.parse(xhr.responseText).detail || ""; } catch { return ""; }
  }

  const polled = (event) => event.detail.requestConfig?.triggeringEvent?.type === "poll";
  function failed(xhr) {
    const id = xhr.getResponseHeader("X-Request-ID");
    add(problem(xhr) || reason(xhr.status), id ? `${words().request} ${id}` : `HTTP ${xhr.status}`);
  }
  function signedOut() {
    const link = document.createElement("a");
    link.href = `${document.body.dataset.login}?next=${encodeURIComponent(location.pathname + location.search)}`;
    link.textContent = words().signIn;
    add(words().signedOut, "", link);
  }

  addEventListener("htmx:responseError", (event) => {
    const { xhr } = event.detail;
    if (xhr.status === 401) signedOut();
    // A failing poll shows at the "Live" mark; one toast every few seconds would help nobody.
    else if (!polled(event)) failed(xhr);
  });
  addEventListener("htmx:sendError", (event) => { if (!polled(event)) add(words().offline, ""); });
  addEventListener("htmx:timeout", (event) => { if (!polled(event)) add(words().offline, ""); });

  addEventListener("htmx:beforeSwap", (event) => {
    const { xhr } = event.detail;
    // The session ended and the login page came back in place of a region.
    const login = document.body.dataset.login;
    if (login && xhr.responseURL && new URL(xhr.responseURL).pathname === login && location.pathname !== login) {
      event.detail.shouldSwap = false;
      signedOut();
    }
    // 409, 412 and 422 with a form are swapped; as a problem document they are a toast.
    if (event.detail.shouldSwap && xhr.status >= 400 && /json/.test(xhr.getResponseHeader("Content-Type") || "")) {
      event.detail.shouldSwap = false;
      failed(xhr);
    }
  });
})();
