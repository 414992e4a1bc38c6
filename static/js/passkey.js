// Security keys and passkeys. A form says what is asked of one: data-passkey="add" (make a new one), "use" (answer for
// this person) or "login" (whoever has one), data-passkey-button: the id of its button, data-passkey-data: the id of
// the server's question, or data-passkey-url: where to fetch it. The answer goes into the form's field "credential".
// The conversion between JSON and the browser's objects is webauthn-json, which comes with django-allauth.
(function () {
  function say(name) {
    const box = document.getElementById("passkey-refused");
    if (!box) return;
    box.className = "errorline";
    box.textContent = box.dataset[name];
    box.hidden = false;
  }

  async function question(form) {
    const given = document.getElementById(form.dataset.passkeyData || "");
    if (given) return JSON.parse(given.textContent);
    const answer = await fetch(form.dataset.passkeyUrl, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error("away");
    return answer.json();
  }

  async function ask(form) {
    const data = await question(form);
    if (form.dataset.passkey !== "add") return globalThis.webauthnJSON.get(data.request_options);
    const options = JSON.parse(JSON.stringify(data.creation_options));
    const alone = form.querySelector("[name=passwordless]")?.checked;
    const wanted = options.publicKey.authenticatorSelection;
    wanted.residentKey = alone ? "required" : "discouraged";
    wanted.requireResidentKey = Boolean(alone);
    if (alone) wanted.userVerification = "required";
    return globalThis.webauthnJSON.create(options);
  }

  function prepare(form) {
    const button = document.getElementById(form.dataset.passkeyButton);
    button.hidden = false;
    button.addEventListener("click", async (event) => {
      event.preventDefault();
      if (!globalThis.webauthnJSON?.supported()) { say("none"); return; }
      button.disabled = true;
      try {
        form.querySelector("[name=credential]").value = JSON.stringify(await ask(form));
        form.submit();
      } catch (error) {
        say(error.message === "away" || error instanceof TypeError ? "away" : "text");
      } finally {
        button.disabled = false;
      }
    });
  }
  for (const form of document.querySelectorAll("form[data-passkey]")) prepare(form);
})();
