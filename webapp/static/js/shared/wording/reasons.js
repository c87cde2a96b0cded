// Why a call is raised, in few words: what was said comes first. Pure.

/** The alert that says that a call was raised; its reasons of now say more. */
const RAISED = "needs_attention";
/** Reasons that only say how the mood went: it has a column and a line of its own. */
const OF_MOOD = /^\d+ unhappy turns in a row$|^fell from /;

/** Divides what the server tells, “words”: their meaning. quote: "" where it quotes nothing. */
export function divide(reason) {
  const found = /^(“[^”]*”): (.+)$/s.exec(reason);
  return found ? { quote: found[1], meaning: found[2] } : { quote: "", meaning: reason };
}

/**
 * What speaks for looking at a call, the weightiest first, each once: [{at, text, kind}]. First the reasons of now, then
 * the newest alerts, then what the agent owes; what only tells the mood comes last.
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

/** The same for a row of the table: no mood if there is anything else, and nothing that only the agent owes. */
export function headlines(row, needs) {
  const told = findings(row, needs).filter(({ owed }) => !owed);
  const other = told.filter(({ text }) => !OF_MOOD.test(text));
  return other.length ? other : told;
}

/** A reason as elements: the words in bold, then their meaning. */
export function inParts(reason) {
  const { quote, meaning } = divide(reason);
  if (!quote) return [meaning];
  const words = document.createElement("b");
  words.textContent = quote;
  return [words, ` ${meaning}`];
}
