import assert from "node:assert/strict";
import test from "node:test";
import { spansOf } from "../../webapp/static/js/call/waveform.js";

const said = (track, start, end, text = "words") => ({ track, start, end, text });

test("the waveform marks pauses of the whole call and overlaps of two parties", () => {
  const found = spansOf([said("agent", 1, 4), said("customer", 3, 6), said("agent", 10, 12), said("agent", 11, 12.5)], 20);
  assert.deepEqual(found.overlaps, [[3, 4]]);
  assert.deepEqual(found.silences, [[6, 10], [12.5, 20]]);
});

test("a call without words is one pause, and a quick answer is no overlap", () => {
  assert.deepEqual(spansOf([said("agent", 1, 2, "")], 9).silences, [[0, 9]]);
  assert.deepEqual(spansOf([said("agent", 0, 2), said("customer", 1.9, 2.5)], 3).overlaps, []);
});
