import assert from "node:assert/strict";
import { test } from "node:test";

import { judgedBy, questions } from "../../webapp/static/js/judging/questions.js";
import { lookedAt, ranking, versionCells } from "../../webapp/static/js/admin/lessons.js";
import { UNTOUCHED } from "../../webapp/static/js/shared/wording/handling.js";

const row = (alerts, judged = []) => ({ raised: false, alerts, handling: { ...UNTOUCHED, judged } });
const alert = (kind, reason) => ({ kind, reason, at: 1, utterances: [] });

test("there is one question for each kind of alert, and the call itself comes first", () => {
  const alerts = [alert("escalation", "first"), alert("needs_attention", "angry"), alert("escalation", "second")];
  const asked = questions(row(alerts));
  assert.deepEqual(asked.map(({ alert }) => alert), ["needs_attention", "escalation"]);
  assert.deepEqual(asked.map(({ text }) => text), ["Needed a look: angry", "second"]);
});

test("a call that was not raised can be judged too", () => {
  assert.match(questions(row([]))[0].text, /Not raised/);
});

test("an alert shows what somebody said about it", () => {
  const said = { alert: "escalation", right: false, why: "misheard", by: "Dana" };
  const [call, escalation] = questions(row([alert("escalation", "boss")], [said]));
  assert.equal(call.judged, null);
  assert.equal(judgedBy(escalation.judged, "Tom"), "Not needed, says Dana");
  assert.equal(judgedBy(escalation.judged, "Dana"), "Not needed, you say");
});

test("words say what was learned and what was not", () => {
  const live = { auc_before: 0.6, auc_after: 0.72, loss_before: 0.5, loss_after: 0.4, taken: "weights" };
  const lessons = [{ queue: null, calls: 200, right: 60, live, ended: null }];
  assert.equal(ranking(live), "60 % → 72 %, weights taken");
  assert.match(lookedAt("today", lessons), /200 judged calls, 60 of them right.*too few judgements/);
  assert.match(lookedAt("today", []), /No call was judged/);
  const version = { version: 3, origin: "taken back", by: "Ann", lessons, queues: ["b"], norms: { a: {} } };
  assert.deepEqual(versionCells(version, "now").slice(0, 4), ["3", "now", "taken back by Ann", "200"]);
  assert.equal(versionCells(version, "now").at(-1), "a, b");
});
