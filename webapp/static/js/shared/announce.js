// Tells a screen reader which calls have begun to need attention: seldom, and several at once.

import { findings } from "./wording/reasons.js";
import { titleOf } from "./live/store.js";
import { _ } from "./wording/language.js";
import { inWords } from "./wording/told.js";

const PAUSE_MS = 10_000;

export class Announcer {
  #region;
  #known = null;
  #news = new Set();
  #timer = 0;

  constructor(region) {
    this.#region = region;
  }

  /** @param ids of the calls that need attention now  @param rows call_id -> row */
  update(ids, rows) {
    const first = this.#known === null;
    for (const id of ids) if (!first && !this.#known.has(id)) this.#news.add(id);
    this.#known = new Set(ids);
    for (const id of this.#news) if (!this.#known.has(id)) this.#news.delete(id);
    if (this.#news.size && !this.#timer) this.#speak(rows);
  }

  #speak(rows) {
    const names = [...this.#news].slice(0, 3).map((id) => describe(rows.get(id)));
    const more = this.#news.size - names.length;
    this.#region.textContent = more
      ? _("Needs attention: {names}; and {more} more", { names: names.join("; "), more })
      : _("Needs attention: {names}", { names: names.join("; ") });
    this.#news.clear();
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      if (this.#news.size) this.#speak(rows);
    }, PAUSE_MS);
  }
}

function describe(row) {
  const why = findings(row, true)[0]?.text;
  return why ? `${titleOf(row)}, ${inWords(why)}` : titleOf(row);
}
