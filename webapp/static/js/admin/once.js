// Secrets that are shown once, and buttons that copy.

import { _ } from "../shared/wording/language.js";

/** A button. @param {(event: any) => any} act */
function button(text, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", act);
  return made;
}

/** A button that copies the answer of `text()`. @param {() => string} text */
export function copyButton(text, words = _("Copy")) {
  return button(words, async (event) => {
    const pressed = event.currentTarget;
    try {
      await navigator.clipboard.writeText(text());
      pressed.textContent = _("Copied");
    } catch {
      pressed.textContent = _("Select it and copy it by hand"); // a page without https may not
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
  told.textContent = `${text} ${_("Nobody can read it again.")}`;
  const code = document.createElement("code");
  code.textContent = secret;
  box.replaceChildren(told, code, copyButton(() => secret));
  box.hidden = false;
  box.focus();
}
