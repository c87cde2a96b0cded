// Searches all words of the calls. The page knows only the last words; the server finds earlier ones, with their place.
// If no call has the words, the server looks for words that sound like them: recognisers mishear rare words.
// A call once found stays found while the search is the same.

import { ask } from "../shared/live/session.js";
import { holds } from "../shared/wording/sought.js";

const TYPED_MS = 300;
const AGAIN_MS = 10_000;
/** Calls in one request, and at most so many requests in one search. */
const LIMIT = 100;
const REQUESTS = 10;

export class Search {
  #words = "";
  #found = new Set();
  #hits = new Map(); // call_id -> {utterance_id, track, start, text}
  #timer = 0;
  #onFound;

  /** @param onFound called when the search finds more calls */
  constructor(onFound) {
    this.#onFound = onFound;
  }

  /** Whether the words found only sound like those sought. */
  sounding = false;

  get words() {
    return this.#words;
  }

  /** Starts a search for `words`; "" ends it. */
  look(words) {
    if (words === this.#words) return;
    this.#words = words;
    this.#found = new Set();
    this.#hits = new Map();
    this.sounding = false;
    clearTimeout(this.#timer);
    if (words) this.#timer = setTimeout(() => this.#ask(words), TYPED_MS);
  }

  /** Whether the words were said on the row's call. */
  has({ call_id, last }) {
    if (this.#words && last && holds(last.text, this.#words)) {
      this.#found.add(call_id);
      if (!this.#hits.has(call_id)) this.#hits.set(call_id, { ...last, utterance_id: last.id });
    }
    return this.#found.has(call_id);
  }

  /** Where the words were said on a call, from GET /v1/calls; null if unknown. */
  hit(id) {
    return this.#hits.get(id) ?? null;
  }

  async #ask(words) {
    const before = this.#found.size;
    await this.#everywhere(words);
    if (!this.#found.size) {
      await this.#everywhere(words, { sounding: "yes" });
      if (words === this.#words) this.sounding = this.#found.size > 0;
    }
    if (words !== this.#words) return;
    if (this.#found.size > before) this.#onFound();
    this.#timer = setTimeout(() => this.#ask(words), AGAIN_MS);
  }

  async #everywhere(words, more = {}) {
    for (const state of ["live", "ended"]) await this.#page(words, state, more).catch(() => {}); // the next one may do
  }

  async #page(words, state, more) {
    let cursor = null;
    for (let request = 0; request < (state === "live" ? REQUESTS : 1); request += 1) {
      const query = new URLSearchParams({ text: words, state, limit: String(LIMIT), ...more, ...(cursor && { cursor }) });
      const answer = await ask(`/v1/calls?${query}`);
      if (!answer.ok || words !== this.#words) return;
      const told = await answer.json();
      for (const { call_id } of told.calls) this.#found.add(call_id);
      for (const [id, hit] of Object.entries(told.hits ?? {})) if (!this.#hits.has(id)) this.#hits.set(id, hit);
      cursor = told.next_cursor;
      if (!cursor) return;
    }
  }
}
