// Tells a viewer who comes back, once, the events on the wall while she was away.

import { sentence } from "./wording/card.js";
import { span } from "./wording/format.js";
import { titleOf } from "./live/store.js";
import { _ } from "./wording/language.js";

/** Lines of the list; more are counted. */
const LINES = 6;

export class Away {
  #box;
  #list;
  #clock;
  #since = 0; // when she left; 0: she is here
  #raised = new Set(); // ids of the calls that were raised when she left
  #came = new Map(); // call_id -> when it was raised while she was away

  /** @param box the element with a list and a button to close it  @param clock () -> ms */
  constructor(box, clock) {
    [this.#box, this.#list, this.#clock] = [box, box.querySelector("ul"), clock];
    box.querySelector("button").addEventListener("click", () => (box.hidden = true));
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") this.#leave();
      else this.#back();
    });
  }

  /** The names and the calls: call_id -> row, and whether a row needs attention. */
  rows = () => new Map();
  viewer = () => "";

  /** @param ids of the calls that need attention now */
  update(ids) {
    if (!this.#since) this.#raised = new Set(ids);
    else for (const id of ids) if (!this.#raised.has(id) && !this.#came.has(id)) this.#came.set(id, this.#clock());
  }

  #leave() {
    this.#since = this.#clock();
    this.#came.clear();
  }

  #back() {
    const now = this.#clock();
    const told = [...this.#came].map(([id, at]) => [this.rows().get(id), at]).filter(([row]) => row);
    if (this.#since && told.length) {
      this.#box.querySelector("h2").textContent = _("Since you looked away, {time} ago", { time: span((now - this.#since) / 1000) });
      const lines = told.toReversed().slice(0, LINES).map(([row, at]) => this.#line(row, (now - at) / 1000));
      if (told.length > LINES) lines.push(item(_("and {n} more", { n: told.length - LINES })));
      this.#list.replaceChildren(...lines);
      this.#box.hidden = false;
    }
    this.#since = 0;
  }

  #line(row, seconds) {
    const link = document.createElement("a");
    link.href = `#/calls/${encodeURIComponent(row.call_id)}`;
    link.textContent = titleOf(row);
    link.addEventListener("click", () => (this.#box.hidden = true));
    const now = row.state === "ended" ? _("has ended") : row.raised ? sentence(row, this.viewer()) : _("has calmed down");
    return item(_("{time} ago: ", { time: span(seconds) }), link, ` ${now}`);
  }
}

function item(...parts) {
  const made = document.createElement("li");
  made.append(...parts);
  return made;
}
