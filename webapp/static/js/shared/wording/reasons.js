// Why a call is raised, in few words. The quotation comes first. Pure.

import { inWords } from "./told.js";

/** The alert for a raised call. The call's present reasons say more. */
const RAISED = "needs_attention";
/** Reasons that only tell the mood, which has its own column and line. */
const OF_MOOD = /^\d+ unhappy turns in a row$|^fell from /;

/** Splits a reason of the server, “words”: their meaning. quote: "" without a quotation. */
export function divide(reason) {
  const found = /^(“[^”]*”): (.+)$/s.exec(reason);
  return found ? { quote: found[1], meaning: found[2] } : { quote: "", meaning: reason };
}

/**
 * Reasons to look at a call, the weightiest first, each once: [{at, text, kind}]. The present reasons come first, then
 * the newest alerts, then the agent's omissions. Reasons that only tell the mood come last.
 * @param row of the table  @param needs whether the call needs attention
 */
export function findings(row, needs) {
  const reasons = needs ? row.reasons.map(({ at, text }) => ({ at, text, kind: "why" })) : [];
  const alerts = row.alerts.toReversed().filter(({ kind }) => !reasons.length || kind !== RAISED);
  const owed = row.findings.map((one) => ({ ...one, owed: true }));
  const told = [...reasons, ...[...alerts, ...owed].map(({ at, reason, kind, owed }) => ({ at, text: reason, kind, owed }))];
  const once = told.filter(({ text }, n) => text && told.findIndex((other) => other.text === text) === n);
  return [...once.filter(({ text }) => !OF_MOOD.test(text)), ...once.filter(({ text }) => OF_MOOD.test(text))];
}

/** The same for a row of the table, without the agent's omissions, and without the mood if there is another reason. */
export function headlines(row, needs) {
  const told = findings(row, needs).filter(({ owed }) => !owed);
  const other = told.filter(({ text }) => !OF_MOOD.test(text));
  return other.length ? other : told;
}

/** A reason as elements: the words in bold, then their meaning. */
export function inParts(reason) {
  const { quote, meaning } = divide(reason);
  if (!quote) return [inWords(meaning)];
  const words = document.createElement("b");
  words.textContent = quote;
  return [words, ` ${inWords(meaning)}`];
}
