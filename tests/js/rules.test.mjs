import assert from "node:assert/strict";
import test from "node:test";

import { fieldsOf, newRule, ruleOf } from "../../webapp/static/js/rules/shape.js";

const RULE = {
  ...newRule([]), title: "Threatens", phrases: ["sue"], and_not: { phrases: ["sorry"], within_seconds: 20, track: "agent" },
  polarity_below: -0.2, queue: "billing", webhook: "crm",
};

test("a rule that goes through the form unchanged stays as it was, with its webhook", () => {
  assert.deepEqual(ruleOf(fieldsOf(RULE), RULE), RULE);
});

test("the form shows a rule's webhook and can set or remove it", () => {
  assert.equal(fieldsOf(RULE).webhook, "crm");
  assert.equal(fieldsOf(newRule([])).webhook, "");
  assert.equal(ruleOf({ ...fieldsOf(RULE), webhook: " " }, RULE).webhook, null);
  assert.equal(ruleOf({ ...fieldsOf(newRule([])), webhook: " pager " }, newRule([])).webhook, "pager");
});
