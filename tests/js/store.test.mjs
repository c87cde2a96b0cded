import assert from "node:assert/strict";
import test from "node:test";

import { UNTOUCHED } from "../../webapp/static/js/shared/wording/handling.js";
import { Calls, ENDED_SHOWN_MS, isBehind, lagSeconds, wordless } from "../../webapp/static/js/shared/live/store.js";

const START = Date.parse("2026-01-31T09:00:00.000Z");

const begun = (id, more = {}) => ({
  kind: "call",
  call_id: id,
  state: "live",
  started_at: new Date(START).toISOString(),
  ended_at: null,
  metadata: { agent: "Dana" },
  ...more,
});
const partial = (id, track, text, lag_seconds = 0.3, decoded_seq = 4) => ({
  kind: "partial",
  call_id: id,
  track,
  partial: text,
  lag_seconds,
  decoded_seq,
});
const final = (id, track, index, start, end, text) => ({
  kind: "final",
  call_id: id,
  utterance: { id: `${track}:${index}`, track, index, start, end, text, mark: null, words: [], sentiment: null },
});
const scored = (id, utterance_id, score, attention = 0) => ({
  kind: "score",
  call_id: id,
  utterance_id,
  sentiment: { polarity: score, subjectivity: 0.5, reasons: [] },
  standing: {
    sentiment: { score, trend: -0.1 },
    attention,
    raised: attention >= 0.5,
    raised_at: null,
    reasons: [{ text: "third call", at: 1, utterances: [] }],
    alerts: [],
    findings: [],
    loud: [],
    loud_since: null, about: "",
    curve: [[1, score]],
  },
});
const play = (events, calls = new Calls()) => {
  for (const event of events) calls.apply(event, START + 5000);
  return calls;
};

const CALL = [
  begun("a"),
  partial("a", "customer", "i want"),
  final("a", "customer", 0, 1, 3, "i want my money back"),
  partial("a", "customer", "", 0.1, 5),
  scored("a", "customer:0", -0.4, 0.6),
];

test("events make a row of the API's form", () => {
  assert.deepEqual(play(CALL).rows.get("a"), {
    call_id: "a",
    state: "live",
    started_at: "2026-01-31T09:00:00.000Z",
    ended_at: null,
    metadata: { agent: "Dana" },
    sentiment: { score: -0.4, trend: -0.1 },
    attention: 0.6,
    raised: true,
    raised_at: null,
    reasons: [{ text: "third call", at: 1, utterances: [] }],
    alerts: [],
    findings: [],
    loud: [],
    loud_since: null, about: "",
    curve: [[1, -0.4]],
    tracks: { customer: { next_seq: 5, gaps: [], partial: "", lag_seconds: 0.1, decoded_seq: 5, wordless: false } },
    last: {
      id: "customer:0",
      track: "customer",
      text: "i want my money back",
      start: 1,
      end: 3,
      sentiment: { polarity: -0.4, subjectivity: 0.5, reasons: [] },
    },
    handling: UNTOUCHED,
    events: [],
  });
});

test("the row has the switch's events", () => {
  const events = [{ kind: "hold", at: 3, track: "customer", to: "" }];
  const calls = play([...CALL, { kind: "line", call_id: "a", events }]);
  assert.deepEqual(calls.rows.get("a").events, events);
});

test("events that are applied twice leave the same rows", () => {
  assert.deepEqual(play([...CALL, ...CALL]).rows, play(CALL).rows);
});

test("a snapshot that already holds the events stays as it is when they come again", () => {
  const calls = new Calls();
  calls.replace([...structuredClone(play(CALL).rows).values()], START);
  assert.deepEqual(play(CALL, calls).rows, play(CALL).rows);
});

test("the last words are those that ended last, whichever final arrives last", () => {
  const calls = play([...CALL, final("a", "agent", 0, 0, 2, "hello")]);
  assert.equal(calls.rows.get("a").last.id, "customer:0");
  play([final("a", "agent", 1, 2, 4, "let me see")], calls);
  assert.equal(calls.rows.get("a").last.id, "agent:1");
});

test("a final without words does not hide the last words", () => {
  const calls = play([...CALL, final("a", "customer", 1, 9, 10, "")]);
  assert.equal(calls.rows.get("a").last.text, "i want my money back");
});

test("a score of exactly 0 is a score", () => {
  const calls = play([...CALL, scored("a", "customer:0", 0)]);
  assert.equal(calls.rows.get("a").sentiment.score, 0);
});

test("events of calls that are not in the table change nothing", () => {
  const calls = play([partial("x", "agent", "hi"), scored("x", "agent:0", 1)]);
  assert.equal(calls.rows.size, 0);
  assert.equal(calls.takeChanged().size, 0);
});

test("a snapshot replaces everything and reports the calls that are gone", () => {
  const calls = play(CALL);
  calls.takeChanged();
  calls.replace([], START);
  assert.deepEqual([...calls.takeChanged()], ["a"]);
  assert.equal(calls.rows.size, 0);
});

test("an ended call leaves the table after its time, a live call never", () => {
  const ended_at = new Date(START).toISOString();
  const calls = play([begun("a"), begun("b", { state: "ended", ended_at })]);
  calls.dropEnded(START + ENDED_SHOWN_MS - 1);
  assert.equal(calls.rows.size, 2);
  calls.dropEnded(START + ENDED_SHOWN_MS);
  assert.deepEqual([...calls.rows.keys()], ["a"]);
});

test("a call's lag is that of its slowest track, and an ended call has none", () => {
  const calls = play([begun("a"), partial("a", "agent", "", 1), partial("a", "customer", "", 7)]);
  assert.equal(lagSeconds(calls.rows.get("a")), 7);
  assert.ok(isBehind(calls.rows.get("a")));
  play([begun("a", { state: "ended", ended_at: new Date(START).toISOString() })], calls);
  assert.equal(lagSeconds(calls.rows.get("a")), 0);
});

test("new partials and finals count as speech, repeated ones do not", () => {
  const calls = play([begun("a"), partial("a", "agent", "good")]);
  assert.equal(calls.spokeAt("a", "agent"), START + 5000);
  calls.apply(partial("a", "agent", "good"), START + 9000);
  assert.equal(calls.spokeAt("a", "agent"), START + 5000);
  assert.equal(calls.spokeAt("a", "customer"), undefined);
});

test("a snapshot keeps the calls that the server could not look at, and replaces all others", () => {
  const calls = new Calls();
  for (const id of ["away", "gone", "here"]) calls.apply(begun(id), START);
  calls.apply(partial("away", "customer", "hello"), START);
  const row = { ...calls.rows.get("here"), attention: 0.7 };
  calls.replace([row], START, (id) => id === "away");
  assert.deepEqual([...calls.rows.keys()].sort(), ["away", "here"]);
  assert.equal(calls.rows.get("away").tracks.customer.partial, "hello");
  assert.equal(calls.rows.get("here").attention, 0.7);
  calls.replace([row], START);
  assert.deepEqual([...calls.rows.keys()], ["here"]);
});

test("voice without words is noted until words come or the call ends", () => {
  const calls = new Calls();
  calls.apply(begun("a"), START);
  calls.apply({ ...partial("a", "customer", ""), wordless: true }, START);
  assert.deepEqual(wordless(calls.rows.get("a")), ["customer"]);
  calls.apply(partial("a", "customer", "at last"), START);
  assert.deepEqual(wordless(calls.rows.get("a")), []);
  calls.apply({ ...partial("a", "agent", ""), wordless: true }, START);
  calls.apply(begun("a", { state: "ended", ended_at: new Date(START).toISOString() }), START);
  assert.deepEqual(wordless(calls.rows.get("a")), []);
});
