// Searching all that was said on the calls. The page knows the last words only; what was said before the server finds.
// A call that was found stays found as long as the same words are looked for: what was said was said.

import { holds } from "./view.js";

const TYPED_MS = 300;
const AGAIN_MS = 10_000;
/** Calls looked through with one request, and requests made for one search at most. */
const LIMIT = 100;
const REQUESTS = 10;

export class Search {
  #words = "";
  #found = new Set();
  #timer = 0;
  #onFound;

  /** @param onFound called when calls were found that were not before */
  constructor(onFound) {
    this.#onFound = onFound;
  }

  /** Looks for `words` from now on; "" for nothing. */
  look(words) {
    if (words === this.#words) return;
    this.#words = words;
    this.#found = new Set();
    clearTimeout(this.#timer);
    if (words) this.#timer = setTimeout(() => this.#ask(words), TYPED_MS);
  }

  /** Whether the words were said on the row's call. */
  has(row) {
    if (this.#words && row.last && holds(row.last.text, this.#words)) this.#found.add(row.call_id);
    return this.#found.has(row.call_id);
  }

  async #ask(words) {
    const before = this.#found.size;
    for (const state of ["live", "ended"]) await this.#page(words, state).catch(() => {}); // the next one may do
    if (words !== this.#words) return;
    if (this.#found.size > before) this.#onFound();
    this.#timer = setTimeout(() => this.#ask(words), AGAIN_MS);
  }

  async #page(words, state) {
    let cursor = null;
    for (let request = 0; request < (state === "live" ? REQUESTS : 1); request += 1) {
      const query = new URLSearchParams({ text: words, state, limit: String(LIMIT), ...(cursor && { cursor }) });
      const answer = await fetch(`/v1/calls?${query}`);
      if (!answer.ok || words !== this.#words) return;
      const told = await answer.json();
      for (const { call_id } of told.calls) this.#found.add(call_id);
      cursor = told.next_cursor;
      if (!cursor) return;
    }
  }
}
