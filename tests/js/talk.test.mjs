import assert from "node:assert/strict";
import test from "node:test";

import { talkLines, talkTable } from "../../webapp/static/js/call/talk.js";

const TALK = {
  parties: {
    agent: { talk_seconds: 30, words_per_minute: 141.6, longest_monologue_seconds: 12, interruptions: 0 },
    customer: { talk_seconds: 61.2, words_per_minute: null, longest_monologue_seconds: 20, interruptions: 2 },
  },
  talk_ratio: 0.329,
  silence_seconds: 15,
  longest_silence_seconds: 11,
  hold_seconds: 11,
  holds: 1,
  overlap_seconds: 0,
  overlaps: 0,
};

test("each party that spoke has its column", () => {
  const { head, rows } = talkTable(TALK);
  assert.deepEqual(head, ["", "agent", "customer"]);
  assert.deepEqual(rows, [
    ["Talk", "0:30", "1:01"],
    ["Words a minute", "142", "–"],
    ["Longest monologue", "0:12", "0:20"],
    ["Broke in", "0", "2"],
  ]);
});

test("words give the figures of the whole call", () => {
  assert.deepEqual(talkLines(TALK), [
    ["Agent's share of talk", "33 %"],
    ["Silence", "0:15, longest 0:11"],
    ["Hold", "1, 0:11"],
    ["Overlaps", "none"],
  ]);
});

test("a call in which nobody spoke has figures too", () => {
  assert.deepEqual(talkTable({}).head, [""]);
  assert.equal(talkLines({})[0][1], "–");
});
