import assert from "node:assert/strict";
import test from "node:test";

import { agentCells, faultOf, hitCells, lineSpan, looked, sortAgents } from "../../webapp/static/js/shared/wording/figures.js";

test("an agent without figures has dashes", () => {
  assert.deepEqual(agentCells({ agent: "", calls: 1, raised_calls: 0, talk_ratio: null }).slice(0, 6), [
    "unknown", "1", "0", "–", "–", "–",
  ]);
  const cells = agentCells({ agent: "Ann", calls: 3, raised_calls: 1, talk_ratio: 0.456, words_per_minute: 151.6, overlaps: 1.333 });
  assert.deepEqual([cells[4], cells[5], cells[9]], ["46 %", "152", "1.3"]);
});

test("agents can be sorted by any figure, and those without it come last", () => {
  const agents = [{ agent: "Bo", calls: 2, overlaps: 1 }, { agent: "al", calls: 9, overlaps: null }, { agent: "Cy", calls: 5, overlaps: 3 }];
  const names = (key, descending) => sortAgents(agents, key, descending).map(({ agent }) => agent);
  assert.deepEqual(names("agent", false), ["al", "Bo", "Cy"]);
  assert.deepEqual(names("calls", true), ["al", "Cy", "Bo"]);
  assert.deepEqual(names("overlaps", true), ["Cy", "Bo", "al"]);
  assert.deepEqual(names("overlaps", false), ["Bo", "Cy", "al"]);
});

test("a hit shows its call, its time and its words", () => {
  const hit = { call_id: "c1", at: 61.2, severity: "high", title: "Wants to cancel", quote: "cancel my account" };
  assert.deepEqual(hitCells(hit), ["c1", "1:01", "high", "Wants to cancel", "cancel my account"]);
});

test("a dry run says how many calls it looked at", () => {
  assert.equal(looked({ calls: 2, more: false, hits: [1, 2], by_rule: { a: 2, b: 0 } }), "2 hits, calls looked at: 2.");
  const cut = looked({ calls: 9, more: true, hits: [1], by_rule: { a: 5 } });
  assert.equal(cut, "5 hits, calls looked at: 9, the first 1 below; there are more calls.");
});

test("a fault names its line", () => {
  const problem = { detail: "The rules cannot be used: x", errors: [{ pointer: "/rules/0", detail: "line 3: x" }] };
  assert.deepEqual(faultOf(problem), { line: 3, message: "The rules cannot be used: x" });
  assert.equal(faultOf({ title: "Bad Request" }).line, null);
  assert.deepEqual(lineSpan("ab\ncde\nf", 2), [3, 6]);
  assert.deepEqual(lineSpan("ab", 9), [3, 3]);
});
