// Shows and marks a line of a large text field: the one that the server could not use.

import { lineSpan } from "./wording/figures.js";

/** @param field a textarea  @param {number} line from 1 */
export function goToLine(field, line) {
  field.focus();
  field.setSelectionRange(...lineSpan(field.value, line));
  field.scrollTop = Math.max(0, (line - 4) * parseFloat(getComputedStyle(field).lineHeight));
}
