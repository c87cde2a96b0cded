// The audit trail, page by page.

import { fillCards, rowOf } from "../shared/rows.js";
import { ask, say } from "./asking.js";
import { when } from "./when.js";
import { DEEDS, deedInWords, originInWords } from "../shared/wording/deeds.js";
import { _ } from "../shared/wording/language.js";

const at = (selector) => document.querySelector(selector);
const form = at("#filters");
const WHAT = 3;
let asked = new URLSearchParams();

/** @param {string | null} cursor of the page before; null for the first page */
async function fetchPage(cursor) {
  if (!cursor) {
    const given = [...new FormData(form)].map(([name, value]) => [name, String(value)]);
    asked = new URLSearchParams(given.filter(([, value]) => value));
  }
  const query = new URLSearchParams(asked);
  if (cursor) query.set("cursor", cursor);
  else for (const file of ["csv", "jsonl"]) at(`#${file}`).href = `/v1/audit.${file}?${query}`;
  const found = await ask("GET", `/v1/audit?${query}`);
  if (!found) return;
  const rows = found.entries.map(line);
  fillCards(at("#entries"), rows, Boolean(cursor));
  at("#more").hidden = !found.next_cursor;
  at("#more").value = found.next_cursor || "";
  say(cursor || rows.length ? "" : _("No entry."));
}

function line({ at: moment, who, origin, what, about, address, count }) {
  const made = rowOf([when(moment), who, originInWords(origin), deedInWords(what), about, address, String(count)], true);
  made.cells[WHAT].title = what; // as one searches for it
  return made;
}

at("#deeds").append(...Object.entries(DEEDS).map(([code, words]) => new Option(words, code)));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  fetchPage(null);
});
form.addEventListener("reset", () => setTimeout(() => fetchPage(null))); // when its fields are empty
at("#more").addEventListener("click", () => fetchPage(at("#more").value));
await fetchPage(null);
