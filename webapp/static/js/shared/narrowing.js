// A field that narrows a long list down to the rows that have its words. templates/narrowing.html makes the field.

import { _ } from "./wording/language.js";
import { holds } from "./wording/sought.js";

/** Rows from which on a list is long. */
const LONG = 20;

/** Shows the field of a table, if it has one and the list is long, and hides the rows without its words. */
export function narrow(table) {
  const field = /** @type {HTMLInputElement | null} */ (document.querySelector(`[data-narrows="${table.id}"]`));
  const line = field?.closest("p");
  if (!field || !line) return;
  field.oninput = () => narrow(table);
  const rows = [...table.tBodies[0].rows];
  const wanted = field.value.trim();
  for (const row of rows) row.hidden = !holds(textOf(row), wanted);
  line.hidden = rows.length < LONG && !wanted;
  const shown = rows.filter((row) => !row.hidden).length;
  const told = wanted ? _("{shown} of {all}", { shown, all: rows.length }) : "";
  /** @type {Element} */ (line.querySelector("output")).textContent = told;
}

/** What a row says, without the words on its buttons. */
const textOf = (row) =>
  [...row.cells].filter((cell) => !cell.querySelector("button")).map((cell) => cell.textContent).join(" ");
