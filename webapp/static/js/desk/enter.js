// A personal link: its key stands after the address's #. Hands it over once, and takes it out of the address.

import { _ } from "../shared/wording/language.js";

const form = /** @type {HTMLFormElement} */ (document.querySelector("form"));
const message = document.querySelector(".message");
const key = location.hash.slice(1);
history.replaceState(null, "", location.pathname);
if (key) {
  /** @type {HTMLInputElement} */ (form.elements.namedItem("key")).value = key;
  form.submit();
} else if (message instanceof HTMLElement && message.hidden) {
  message.textContent = _("This link is not whole. Open it as it was sent to you.");
  message.hidden = false;
}
