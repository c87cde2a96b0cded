// Secrets that are shown once, buttons that copy, and the question before what nobody can undo.

/** A button. @param {(event: any) => any} act */
function button(text, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", act);
  return made;
}

/** A button that copies what `text()` says. @param {() => string} text */
export function copyButton(text, words = "Copy") {
  return button(words, async (event) => {
    const pressed = event.currentTarget;
    try {
      await navigator.clipboard.writeText(text());
      pressed.textContent = "Copied";
    } catch {
      pressed.textContent = "Select it and copy it by hand"; // a page without https may not
    }
    const again = () => {
      pressed.textContent = words;
    };
    pressed.addEventListener("blur", again, { once: true });
  });
}

/** Shows a secret that nobody can read again in the element #once. */
export function showOnce(text, secret) {
  const box = /** @type {HTMLElement} */ (document.querySelector("#once"));
  const told = document.createElement("p");
  told.textContent = `${text} Nobody can read it again.`;
  const code = document.createElement("code");
  code.textContent = secret;
  box.replaceChildren(told, code, copyButton(() => secret));
  box.hidden = false;
  box.focus();
}

/** Asks whether somebody is sure. @param {string} act the words on the button */
export async function sure(title, text, act) {
  const dialog = document.createElement("dialog");
  const heading = document.createElement("h2");
  heading.id = "sure-title";
  heading.textContent = title;
  dialog.setAttribute("aria-labelledby", heading.id);
  const told = document.createElement("p");
  told.textContent = text;
  const row = document.createElement("p");
  row.className = "doing";
  const yes = button(act, () => dialog.close("yes"));
  yes.className = "danger";
  row.append(
    button("Cancel", () => dialog.close("")),
    yes,
  );
  dialog.append(heading, told, row);
  document.body.append(dialog);
  dialog.showModal();
  await new Promise((done) => dialog.addEventListener("close", done, { once: true }));
  dialog.remove();
  return dialog.returnValue === "yes";
}
