// The question before an act that nobody can undo.

import { _ } from "./wording/language.js";

/**
 * Asks whether somebody is sure. The focus begins on Cancel and goes back to where it was.
 *
 * @param {string} title the question  @param {string} text what will happen  @param {string} act the words on the button
 * @returns {Promise<boolean>}
 */
export async function sure(title, text, act) {
  const dialog = document.createElement("dialog");
  const [heading, told, row] = ["h2", "p", "p"].map((tag) => document.createElement(tag));
  [heading.id, told.id, row.className] = ["sure-title", "sure-text", "doing"];
  [heading.textContent, told.textContent] = [title, text];
  dialog.setAttribute("aria-labelledby", heading.id);
  dialog.setAttribute("aria-describedby", told.id);
  row.append(button(_("Cancel"), () => dialog.close("")), button(act, () => dialog.close("yes"), "danger"));
  dialog.append(heading, told, row);
  dialog.addEventListener("keydown", (event) => event.stopPropagation()); // no key in here acts on the page below
  document.body.append(dialog);
  dialog.showModal();
  await new Promise((done) => dialog.addEventListener("close", done, { once: true }));
  dialog.remove();
  return dialog.returnValue === "yes";
}

/** @param {string} text @param {() => void} act */
function button(text, act, className = "") {
  const made = document.createElement("button");
  [made.type, made.textContent, made.className] = ["button", text, className];
  made.addEventListener("click", act);
  return made;
}
