// Rows of plain tables, and names with their values. Text goes in as text, never as HTML.

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

/** Tells a row of `table` what its columns are called: on a phone it is a card, and the heads are out of sight. */
export function asCard(row, table) {
  const heads = table.tHead.rows[0].cells;
  row.role = "row"; // a card is no table to the browser
  [...row.cells].forEach((cell, index) => {
    cell.role = index ? "cell" : "rowheader";
    cell.dataset.name = heads[index].textContent;
  });
  return row;
}

/** A <div> with a name and its value, for a <dl>. */
export function pairOf(name, value) {
  const pair = document.createElement("div");
  const [term, told] = [document.createElement("dt"), document.createElement("dd")];
  [term.textContent, told.textContent] = [name, String(value)];
  pair.append(term, told);
  return pair;
}
