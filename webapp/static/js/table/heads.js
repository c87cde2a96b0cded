// The lines between the rows: the number of calls in each group, and of hidden calls that need attention.

import { _ } from "../shared/wording/language.js";

export class Heads {
  #sizes;
  #elsewhere;
  #quiet;

  /** @param table the table  @param showAll takes the filters away */
  constructor(table, showAll) {
    this.#sizes = table.querySelectorAll("tbody .size");
    this.#elsewhere = table.querySelector(".elsewhere");
    this.#quiet = table.querySelector(".quiet td");
    this.#elsewhere.querySelector("button").addEventListener("click", showAll);
  }

  /** @param groups group -> ids shown  @param elsewhere number of hidden calls that need attention */
  show(groups, elsewhere) {
    for (const size of this.#sizes) text(size, String(groups[size.closest("tbody").dataset.group].length));
    this.#elsewhere.hidden = !elsewhere;
    text(this.#elsewhere.querySelector("b"), String(elsewhere));
    text(this.#quiet, elsewhere ? _("None among these.") : _("All quiet. No live call needs attention."));
  }
}

function text(element, value) {
  if (element.textContent !== value) element.textContent = value;
}
