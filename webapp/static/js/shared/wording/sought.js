// The words of a search in a text: whether it holds them, and where. Capitals count as small letters. Pure.

/** Characters of a text before and after the words found. */
const BEFORE = 30;
const AFTER = 120;

const wordsOf = (sought) => sought.toLowerCase().split(/\s+/).filter(Boolean);

/** Whether a text holds all the words, as parts of words too. */
export function holds(text, sought) {
  const small = text.toLowerCase();
  return wordsOf(sought).every((word) => small.includes(word));
}

/** Whether it holds one of them. */
export function holdsOne(text, sought) {
  const small = text.toLowerCase();
  return wordsOf(sought).some((word) => small.includes(word));
}

/** A text in pieces. Those that hold one of the words are `found`. */
export function inPieces(text, sought) {
  return text.split(/(\s+)/).map((piece) => ({ piece, found: holdsOne(piece, sought) }));
}

/** The part of a text around the first of the words: [before, the word, after]; ["", "", text] without any. */
export function excerpt(text, sought) {
  const small = text.toLowerCase();
  const found = wordsOf(sought).map((word) => [small.indexOf(word), word.length]).filter(([at]) => at >= 0);
  if (!found.length) return ["", "", text];
  const [at, length] = found.reduce((a, b) => (b[0] < a[0] ? b : a));
  const from = at > BEFORE ? text.indexOf(" ", at - BEFORE) + 1 : 0;
  const before = (from ? "… " : "") + text.slice(Math.min(from, at), at);
  return [before, text.slice(at, at + length), text.slice(at + length, at + length + AFTER)];
}
