// Rows of plain tables, and names with their values. Text goes in as text, never as HTML.

import { narrow } from "./narrowing.js";

/** A <tr> of these texts. @param headed whether the first one names the row */
export function rowOf(texts, headed = false) {
  return made(texts, (index) => (headed && !index ? "row" : ""));
}

/** A <tr> of these texts, each naming its column. */
export function headOf(texts) {
  return made(texts, (index) => (texts[index] ? "col" : "")); // an empty corner is no heading
}

/** @param {(index: number) => string} scope what the cell names: "row", "col" or "" */
function made(texts, scope) {
  const row = document.createElement("tr");
  texts.forEach((text, index) => {
    const cell = document.createElement(scope(index) ? "th" : "td");
    if (cell.tagName === "TH") cell.scope = scope(index);
    cell.textContent = text;
    row.append(cell);
  });
  return row;
}

/** Fills a table of the class "cards": on a phone each row is a card, and the heads are out of sight. @param more adds rows */
export function fillCards(table, rows, more = false) {
  const [head] = table.tHead.rows;
  [table.role, table.tHead.role, head.role, table.tBodies[0].role] = ["table", "rowgroup", "row", "rowgroup"]; // cards are no table to the browser
  for (const cell of head.cells) cell.role = "columnheader";
  for (const row of rows) {
    row.role = "row";
    [...row.cells].forEach((cell, index) => {
      cell.role = index ? "cell" : "rowheader";
      cell.dataset.name = head.cells[index].textContent;
    });
  }
  if (!more) table.tBodies[0].replaceChildren();
  table.tBodies[0].append(...rows);
  narrow(table);
}

/** A <div> with a name and its value, for a <dl>. */
export function pairOf(name, value) {
  const pair = document.createElement("div");
  const [term, told] = [document.createElement("dt"), document.createElement("dd")];
  [term.textContent, told.textContent] = [name, String(value)];
  pair.append(term, told);
  return pair;
}
