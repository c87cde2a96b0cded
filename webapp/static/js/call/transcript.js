// An opened call's transcript: the answer of GET /v1/calls/{id}, and every event since. Pure.

import { duration, party } from "../shared/wording/format.js";
import { _ } from "../shared/wording/language.js";

export class Transcript {
  summary = null;
  #utterances = new Map();

  /** Takes in a call from the API. Keeps what newer events brought: scores that it lacks, later finals. */
  load(view) {
    this.summary = view.summary;
    for (const told of view.utterances) {
      const known = this.#utterances.get(told.id);
      const merged = { ...told, sentiment: told.sentiment ?? known?.sentiment ?? null };
      // An unchanged utterance stays the same object, so its line on the page stays.
      if (JSON.stringify(known) !== JSON.stringify(merged)) this.#utterances.set(told.id, merged);
    }
  }

  /** Applies a feed event of this call; true if an utterance changed. */
  apply(event) {
    if (event.kind === "final") {
      const known = this.#utterances.get(event.utterance.id);
      const sentiment = event.utterance.sentiment ?? known?.sentiment ?? null;
      this.#utterances.set(event.utterance.id, { ...event.utterance, sentiment });
      return true;
    }
    const known = event.kind === "score" && this.#utterances.get(event.utterance_id);
    if (!known) return false;
    this.#utterances.set(known.id, { ...known, sentiment: event.sentiment });
    return true;
  }

  /** Utterances by their beginning, without finals that have neither words nor mark. */
  get utterances() {
    return [...this.#utterances.values()]
      .filter((said) => said.text || said.mark)
      .sort((a, b) => a.start - b.start || (a.track < b.track ? -1 : a.track > b.track ? 1 : a.index - b.index));
  }

  /** Whether the engine says how sure it is of its words. */
  get hasConfidence() {
    return [...this.#utterances.values()].some(({ words }) => words?.some(({ conf }) => typeof conf === "number"));
  }

  /** The id of the worst utterance, by the summary or else by score; null if none. */
  get worst() {
    const told = (this.summary?.worst_moment ?? this.summary?.worst)?.utterance_id;
    if (told) return told;
    const bad = this.utterances.filter((said) => said.sentiment && said.sentiment.polarity < 0);
    const customers = bad.filter((said) => said.track === "customer");
    const least = (a, b) => (b.sentiment.polarity < a.sentiment.polarity ? b : a);
    return (customers.length ? customers : bad).reduce((a, b) => (a ? least(a, b) : b), null)?.id ?? null;
  }

  /** The second at which an utterance begins; null if there is none. */
  start(id) {
    return this.#utterances.get(id)?.start ?? null;
  }

  /** The id of the utterance at `second`, or of the last one before it. */
  at(second) {
    const began = this.utterances.filter((said) => said.start <= second + 0.05);
    return (began.find((said) => said.end >= second - 0.05) ?? began.at(-1) ?? this.utterances[0])?.id ?? null;
  }

  /** As plain text, one utterance a line. */
  get text() {
    return this.utterances.map((said) => `[${duration(said.start)}] ${party(said.track)}: ${wordsOf(said)}\n`).join("");
  }
}

/** An utterance's words, or the mark in their place. */
export function wordsOf({ text, mark }) {
  return text || (mark === "gap" ? _("[audio is missing here]") : _("[audio could not be read here]"));
}

/** How sure the recogniser was of a word: "high", "fair", "low", or "unknown" where the engine does not say. */
export function confidence(conf) {
  if (conf === null || conf === undefined) return "unknown";
  return conf >= 0.8 ? "high" : conf >= 0.5 ? "fair" : "low";
}
