// Rows of plain tables. Text goes in as text, never as HTML.

/** A <tr> of these texts. @param headed whether the first one names the row */
export function rowOf(texts, headed = false) {
  return made(texts, (index) => (headed && !index ? "row" : ""));
}

/** A <tr> of these texts, each naming its column. */
export function headOf(texts) {
  return made(texts, (index) => (texts[index] ? "col" : "")); // an empty corner is no heading
}

/** @param {(index: number) => string} scope of what the cell is the name: "row", "col" or "" */
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
