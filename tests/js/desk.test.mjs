import assert from "node:assert/strict";
import test from "node:test";

import { linesOf, waitingTold } from "../../webapp/static/js/desk/told.js";
import { sentence } from "../../webapp/static/js/shared/wording/card.js";
import { isWaiting, UNTOUCHED, wantsHelp } from "../../webapp/static/js/shared/wording/handling.js";
import { Order } from "../../webapp/static/js/table/order.js";

const AT = "2026-01-31T09:00:00.000Z";
const help = (more = {}) => ({ by: "ann:link", at: AT, reason: "", answered_at: null, answered_by: "", ...more });
const row = (call_id, handling = {}, more = {}) => ({
  call_id, state: "live", started_at: AT, raised: false, raised_at: null, attention: 0, reasons: [], alerts: [], findings: [],
  about: "", handling: { ...UNTOUCHED, ...handling }, ...more,
});

test("a call whose agent asks for help waits and stands above every raised call, even when somebody is on it", () => {
  const asks = row("asks", { help: help(), state: "taken", by: "Dana" });
  const raised = row("raised", {}, { raised: true, attention: 0.95 });
  assert.ok(wantsHelp(asks) && isWaiting(asks));
  assert.deepEqual(new Order().arrange([raised, asks, row("calm")]).needs, ["asks", "raised"]);
  const answered = row("asks", { help: help({ answered_at: AT, answered_by: "Dana" }) });
  assert.ok(!wantsHelp(answered) && !isWaiting(answered));
  assert.equal(new Order().group(answered), "rest");
  assert.ok(!isWaiting(row("snoozed", { help: help(), state: "snoozed" })), "somebody snoozed it after the request");
  assert.ok(!wantsHelp({ ...asks, state: "ended" }));
});

test("the card shows the request for help before everything else", () => {
  const told = sentence(row("a", { help: help({ reason: "Needs an approval" }) }, { alerts: [{ at: 3, kind: "x", reason: "y" }] }), "");
  assert.equal(told, "Asks for help: Needs an approval, nobody is on it");
});

test("the agent's page shows what was said, what somebody is saying, and what became of a request for help", () => {
  const lines = [{ track: "customer", text: "hello" }, { track: "agent", text: "" }];
  assert.deepEqual(linesOf({ lines, speaking: { agent: "good mor" } }), [
    { track: "customer", text: "hello", open: false },
    { track: "agent", text: "good mor", open: true },
  ]);
  assert.equal(waitingTold(null, "", ""), "");
  assert.equal(waitingTold(help({ reason: "Angry" }), "", "8 s"), "You asked for help 8 s ago. Supervisors see it: Angry.");
  assert.equal(waitingTold(help({ answered_at: AT, answered_by: "Dana" }), "", "8 s"), "Dana has seen it.");
  assert.equal(waitingTold(null, "Dana", ""), "Dana is on your call.");
});
