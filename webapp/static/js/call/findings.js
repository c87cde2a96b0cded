// In the opened call: since when it needs somebody, and the findings, each with its moment. Shows few lines at once.

import * as format from "../shared/wording/format.js";
import { findings, inParts } from "../shared/wording/reasons.js";
import { _ } from "../shared/wording/language.js";
import { inWords } from "../shared/wording/told.js";

/** Findings that show at once; the others are folded away. */
const FINDINGS = 3;

export class Findings {
  #parts;
  #onMoment;
  #shown = "";

  /**
   * @param parts the elements: whyBox, since, why, moreBox, moreCount, more
   * @param onMoment called with the second of the line that was pressed  @param onSince called when "since" was pressed
   */
  constructor(parts, onMoment, onSince) {
    [this.#parts, this.#onMoment] = [parts, onMoment];
    parts.since.addEventListener("click", onSince);
  }

  /** @param row of the opened call */
  show(row) {
    const { whyBox, since } = this.#parts;
    const told = findings(row, true);
    const title = row.raised ? _("Needs attention since {time}", { time: format.duration(row.raised_at ?? 0) }) : _("Worth knowing");
    if (since.textContent !== title) since.textContent = title;
    since.disabled = !row.raised;
    whyBox.hidden = since.parentElement.hidden = !row.raised && !told.length;
    const key = JSON.stringify(told);
    if (key === this.#shown) return;
    this.#shown = key;
    this.#list(told);
  }

  #list(told) {
    const { why, more, moreBox, moreCount } = this.#parts;
    const items = told.map(({ at, text }) => this.#line(at, text));
    why.replaceChildren(...items.slice(0, FINDINGS));
    more.replaceChildren(...items.slice(FINDINGS));
    moreCount.textContent = _("{n} more", { n: Math.max(0, told.length - FINDINGS) });
    moreBox.hidden = told.length <= FINDINGS;
  }

  #line(at, text) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(`${format.duration(at)} `, ...inParts(text));
    button.title = inWords(text);
    button.addEventListener("click", () => this.#onMoment(at));
    const item = document.createElement("li");
    item.append(button);
    return item;
  }
}
