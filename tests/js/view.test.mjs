import assert from "node:assert/strict";
import test from "node:test";

import { toCsv } from "../../webapp/static/js/table/csv.js";
import { UNTOUCHED } from "../../webapp/static/js/shared/wording/handling.js";
import { summaryLines } from "../../webapp/static/js/call/summary.js";
import { confidence, Transcript } from "../../webapp/static/js/call/transcript.js";
import { choices, matches, nextSort, parse, write } from "../../webapp/static/js/table/view.js";

const ROW = {
  call_id: "c1",
  state: "live",
  started_at: "2026-01-31T09:00:00.000Z",
  ended_at: null,
  metadata: { agent: "Dana Reyes", queue: "billing", customer: "Kim" },
  sentiment: { score: 0, trend: null },
  attention: 0.25,
  raised: true,
  reasons: [{ text: "third call", at: 1, utterances: [] }],
  alerts: [{ kind: "escalation", reason: "Asks for a manager", at: 4 }],
  tracks: { customer: { partial: "and another thing", lag_seconds: 9 } },
  last: { text: "where is my money" },
  handling: { ...UNTOUCHED, notes: [{ by: "Tom", text: "ring back" }], tags: ["vip"] },
};

test("a view is written to the URL and read back, and other parameters stay", () => {
  const view = { filters: { agent: "Dana Reyes", q: "a & b" }, sort: { column: "sentiment", descending: false } };
  const query = write(view, "?x=1&agent=old&state=live");
  assert.deepEqual(parse(query), { ...view, wallboard: false });
  assert.equal(new URLSearchParams(query).get("x"), "1");
  assert.equal(write({ filters: {}, sort: null }), "");
});

test("a URL that makes no sense shows everything", () => {
  assert.deepEqual(parse("?sort=constructor&q=%20&agent="), { filters: {}, sort: null, wallboard: false });
});

test("calls can be filtered by agent, queue, state, alert and words", () => {
  const passes = (filters) => matches(ROW, filters);
  assert.ok(passes({ agent: "Dana Reyes", queue: "billing", state: "live", alert: "escalation", q: "MONEY dana" }));
  assert.ok(passes({ q: "another thing" }) && passes({ q: "manager" }) && passes({ state: "behind" }));
  assert.ok(passes({ q: "vip ring" }) && passes({ state: "unhandled" }));
  for (const no of [{ agent: "Dana" }, { queue: "x" }, { state: "ended" }, { alert: "x" }, { q: "money parcel" }]) {
    assert.ok(!passes(no), JSON.stringify(no));
  }
});

test("an alert's kind is the same whether a rule or the judgement found it", () => {
  const alerts = [{ kind: "rule:legal-threat", reason: "x", at: 1 }, { kind: "legal_threat", reason: "y", at: 2 }];
  assert.deepEqual(choices([{ ...ROW, alerts }]).alert, ["legal-threat"]);
  assert.ok(matches({ ...ROW, alerts }, { alert: "legal-threat" }) && matches({ ...ROW, alerts }, { alert: "rule:legal-threat" }));
});

test("the filters offer the values that the calls have", () => {
  assert.deepEqual(choices([ROW, ROW]), { agent: ["Dana Reyes"], queue: ["billing"], alert: ["escalation"] });
});

test("a click on a header sorts, then turns the order round, then sorts no more", () => {
  const first = nextSort(null, "sentiment");
  const second = nextSort(first, "sentiment");
  assert.deepEqual([first.descending, second.descending, nextSort(second, "sentiment")], [false, true, null]);
});

test("the table as CSV quotes what must be quoted and makes formulas harmless, but leaves numbers", () => {
  const row = { ...ROW, metadata: { agent: "=cmd()" }, sentiment: { score: -0.5, trend: null }, last: { text: 'a "b", c' } };
  const [, line] = toCsv([row]).split("\r\n");
  assert.equal(
    line,
    `c1,'=cmd(),,,live,2026-01-31T09:00:00.000Z,,-0.5,,0.25,yes,third call,Asks for a manager,open,,vip,Tom: ring back,"a ""b"", c"`,
  );
});

const said = (id, track, start, end, polarity) => ({
  id,
  track,
  index: 0,
  start,
  end,
  text: `words of ${id}`,
  mark: null,
  words: [],
  sentiment: polarity === null ? null : { polarity, subjectivity: 0, reasons: [] },
});

test("a transcript joins the loaded call with events that came before and after", () => {
  const transcript = new Transcript();
  transcript.apply({ kind: "final", utterance: said("customer:1", "customer", 5, 6, null) });
  transcript.apply({ kind: "score", utterance_id: "customer:1", sentiment: { polarity: -0.4 } });
  transcript.load({ summary: null, utterances: [said("agent:0", "agent", 1, 2, -0.9), said("customer:1", "customer", 5, 6, null)] });
  assert.deepEqual(transcript.utterances.map((one) => one.id), ["agent:0", "customer:1"]);
  assert.equal(transcript.worst, "customer:1");
  assert.equal(transcript.at(3), "agent:0");
  assert.equal(transcript.at(5.5), "customer:1");
  assert.match(transcript.text, /^\[0:01\] agent: words of agent:0\n/);
});

test("a call without bad words has no worst moment", () => {
  const transcript = new Transcript();
  transcript.load({ summary: null, utterances: [said("customer:0", "customer", 1, 2, 0)] });
  assert.equal(transcript.worst, null);
});

test("confidence has three steps, and unknown is not low", () => {
  assert.deepEqual([0.9, 0.6, 0, null].map(confidence), ["high", "fair", "low", "unknown"]);
});

test("a summary reads as lines, whatever is in it", () => {
  const summary = {
    duration_seconds: 65,
    sentiment_score: -0.87,
    peak_attention: 0.99,
    talk_seconds: { agent: 30, customer: 12 },
    sentiment_curve: [[1, 0]],
    worst_moment: { utterance_id: "customer:0", at: 12, text: "no", track: "customer" },
  };
  assert.deepEqual(summaryLines(summary), [
    ["length of the audio", "1:05"],
    ["mood of the whole call", "angry (−0.87)"],
    ["highest attention", "99"],
    ["agent talk", "0:30"],
    ["customer talk", "0:12"],
    ["worst moment", "0:12 “no”"],
  ]);
  const withTalk = summaryLines({ duration_seconds: 65, worst_moment: summary.worst_moment, talk_seconds: {}, talk: {} });
  assert.deepEqual(withTalk, [["length of the audio", "1:05"], ["worst moment", "0:12 “no”"]], "talk has its own table");
});
