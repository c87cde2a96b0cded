import assert from "node:assert/strict";
import test from "node:test";

import { divide, findings, headlines } from "../../webapp/static/js/shared/wording/reasons.js";

const LEGAL = "“my solicitor”: Threatens legal steps";
const MOOD = "7 unhappy turns in a row";
const row = {
  reasons: [{ at: 75, text: MOOD }, { at: 40, text: "“my solicitor”: Threatens legal steps" }, { at: 50, text: "the agent could not help" }],
  alerts: [
    { at: 9, kind: "rule:repeat", reason: "“4th time”: Has called before" },
    { at: 23, kind: "needs_attention", reason: "“lovely”: sounds sarcastic" },
    { at: 40, kind: "rule:legal", reason: LEGAL },
  ],
  findings: [{ at: 0, kind: "rule:greeting", reason: "The agent did not greet" }],
};
const texts = (told) => told.map(({ text }) => text);

test("a reason is divided into the words and what they mean", () => {
  assert.deepEqual(divide(LEGAL), { quote: "“my solicitor”", meaning: "Threatens legal steps" });
  assert.deepEqual(divide("12 s of silence"), { quote: "", meaning: "12 s of silence" });
  assert.deepEqual(divide("“a”: b: “c”"), { quote: "“a”", meaning: "b: “c”" });
});

test("each finding is shown once, and the mood comes last", () => {
  const known = [LEGAL, "the agent could not help", "“4th time”: Has called before", "The agent did not greet", MOOD];
  assert.deepEqual(texts(findings(row, true)), known);
});

test("a row leaves out the mood and what only the agent owes, unless nothing else is known", () => {
  assert.deepEqual(texts(headlines(row, true)), [LEGAL, "the agent could not help", "“4th time”: Has called before"]);
  assert.deepEqual(texts(headlines({ ...row, reasons: row.reasons.slice(0, 1), alerts: [] }, true)), [MOOD]);
  assert.deepEqual(texts(headlines(row, false)), [LEGAL, "“lovely”: sounds sarcastic", "“4th time”: Has called before"]);
  assert.deepEqual(headlines({ ...row, alerts: [] }, false), []);
});
