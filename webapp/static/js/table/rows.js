// Rows of plain tables. Text goes in as text, never as HTML.

/** A <tr> of these texts. @param headed whether the first one names the row */
export function rowOf(texts, headed = false) {
  const row = document.createElement("tr");
  texts.forEach((text, index) => {
    const cell = document.createElement(headed && !index ? "th" : "td");
    if (headed && !index) cell.scope = "row";
    cell.textContent = text;
    row.append(cell);
  });
  return row;
}
