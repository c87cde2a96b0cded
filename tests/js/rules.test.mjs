import assert from "node:assert/strict";
import test from "node:test";

import { fieldsOf, newRule, ruleOf } from "../../webapp/static/js/rules/shape.js";

const RULE = {
  ...newRule([]), title: "Threatens", phrases: ["sue"], and_not: { phrases: ["sorry"], within_seconds: 20, track: "agent" },
  polarity_below: -0.2, queue: "billing", webhook: "crm",
};

test("a rule that goes through the form unchanged stays as it was, its webhook too", () => {
  assert.deepEqual(ruleOf(fieldsOf(RULE), RULE), RULE);
});

test("the form has a rule's webhook, and takes it away", () => {
  assert.equal(fieldsOf(RULE).webhook, "crm");
  assert.equal(fieldsOf(newRule([])).webhook, "");
  assert.equal(ruleOf({ ...fieldsOf(RULE), webhook: " " }, RULE).webhook, null);
  assert.equal(ruleOf({ ...fieldsOf(newRule([])), webhook: " pager " }, newRule([])).webhook, "pager");
});
