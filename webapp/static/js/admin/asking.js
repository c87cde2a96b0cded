// Shared by the admins' pages: requests to the server, messages, tables, and buttons in their rows.

import { ask as fetchOrSignIn } from "../shared/live/session.js";
import { fillCards } from "../shared/rows.js";
import { _ } from "../shared/wording/language.js";

const at = (selector) => document.querySelector(selector);

/** The server's answer; null if it refused, and then the page says why. */
export async function ask(method, path, body = null) {
  const token = at("meta[name=csrf-token]").content;
  const headers = { Accept: "application/json", "X-CSRF-Token": token, ...(body && { "Content-Type": "application/json" }) };
  try {
    const answer = await fetchOrSignIn(path, { method, headers, body: body && JSON.stringify(body) });
    const told = await answer.json();
    if (answer.ok) return told;
    say("", told.detail || told.title);
  } catch {
    say("", _("The server did not answer. Nothing has changed."));
  }
  return null;
}

/** @param fault the error in words, if there is one */
export function say(message, fault = "") {
  at("#said").textContent = message;
  at("#fault").textContent = fault;
}

/** Fills a table. Without rows, shows `empty` in its place. */
export function list(table, empty, rows) {
  at(empty).hidden = rows.length > 0;
  at(table).hidden = !rows.length;
  fillCards(at(table), rows);
}

/** A cell with buttons: [words on it, words for a screen reader, what it does]. */
export function buttons(...made) {
  const cell = document.createElement("td");
  const row = document.createElement("div");
  row.className = "doing";
  for (const [text, label, work] of made) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.setAttribute("aria-label", label);
    button.addEventListener("click", work);
    row.append(button);
  }
  cell.append(row);
  return cell;
}
