import assert from "node:assert/strict";
import test from "node:test";

import { handlingInWords, isHandled, isWaiting, newestAlert, UNTOUCHED, woken } from "../../webapp/static/js/shared/wording/handling.js";
import { Calls } from "../../webapp/static/js/shared/live/store.js";

const NOW = Date.parse("2026-01-31T09:00:00.000Z");
const alert = (at) => ({ kind: "phrase", reason: "Asks for a manager", at });
const row = (handling, alerts = [], raised = true) => ({ state: "live", raised, alerts, handling: { ...UNTOUCHED, ...handling } });

test("a call waits for a supervisor until somebody is on it, and waits again after a new alert", () => {
  assert.ok(isWaiting(row({})), "it is raised");
  assert.ok(!isWaiting(row({}, [alert(3)], false)), "an alert alone calls nobody");
  for (const state of ["taken", "snoozed"]) assert.ok(!isWaiting(row({ state, by: "Dana" }, [alert(3)])));
  const seen = { state: "acknowledged", by: "Dana", seen: 3 };
  assert.ok(!isWaiting(row(seen, [alert(3)])));
  assert.ok(isWaiting(row(seen, [alert(3), alert(9)])), "a new alert came after the acknowledged one");
  assert.equal(handlingInWords(row(seen, [alert(3), alert(9)]), "Tom"), "");
  assert.ok(isWaiting(row({ state: "open", by: "Dana", seen: 3 }, [alert(3)])), "Dana gave it back, and it is still raised");
  assert.ok(!isWaiting({ ...row({}, [alert(3)]), state: "ended" }));
});

test("words say who is on a call, and the viewer reads \"you\"", () => {
  assert.equal(handlingInWords(row({ state: "taken", by: "Dana" }), "Dana"), "You are on it");
  assert.equal(handlingInWords(row({ state: "taken", by: "Dana" }), "Tom"), "Dana is on it");
  const over = { ...row({ state: "taken", by: "Dana" }), state: "ended" };
  assert.deepEqual([handlingInWords(over, "Dana"), handlingInWords(over, "Tom")], ["You were on it", "Dana was on it"]);
  assert.equal(handlingInWords(row({ state: "acknowledged", by: "Dana" }), "Tom"), "Seen by Dana");
  assert.equal(handlingInWords(row({ state: "snoozed", by: "Dana" }), "Dana"), "Snoozed by you");
  assert.equal(handlingInWords(row({ by: "" }), ""), "");
});

test("a snooze ends by itself", () => {
  const snoozed = { ...UNTOUCHED, state: "snoozed", by: "Dana", until: new Date(NOW + 1000).toISOString() };
  assert.equal(woken(snoozed, NOW), snoozed);
  assert.equal(woken(snoozed, NOW + 1000).state, "open");
  assert.ok(!isHandled({ ...row({}), handling: woken(snoozed, NOW + 1000) }));
});

test("events of handling may come twice or late, and the highest revision counts", () => {
  const calls = new Calls();
  calls.apply({ kind: "call", call_id: "c", state: "live", started_at: new Date(NOW).toISOString(), metadata: {} }, NOW);
  const event = (revision, by) => ({ kind: "handling", call_id: "c", handling: { ...UNTOUCHED, state: "taken", revision, by } });
  for (const each of [event(2, "Tom"), event(2, "Tom"), event(1, "Dana")]) calls.apply(each, NOW);
  assert.equal(calls.rows.get("c").handling.by, "Tom");
  calls.takeChanged();
  calls.apply({ ...event(3, "Tom"), handling: { ...UNTOUCHED, revision: 3, state: "snoozed", until: new Date(NOW).toISOString() } }, NOW);
  calls.wake(NOW);
  assert.deepEqual([...calls.takeChanged()], ["c"]);
  assert.equal(calls.rows.get("c").handling.state, "open");
});

test("the newest alert is the latest one, and second 0 without any", () => {
  assert.equal(newestAlert(row({}, [alert(3), alert(9), alert(5)])), 9);
  assert.equal(newestAlert(row({})), 0);
});
