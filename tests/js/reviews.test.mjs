import assert from "node:assert/strict";
import test from "node:test";

import { firstAnswer, idFor, percent, scoreOf } from "../../webapp/static/js/reviews/scores.js";

test("a score is the share of yes among yes and no", () => {
  assert.equal(scoreOf(["yes", "no", "none", "yes", "yes"]), 0.75);
  assert.equal(scoreOf(["none", null]), null);
  assert.equal(percent(0.75), "75 %");
  assert.equal(percent(null), "–");
});

test("the reviewer's own answer comes before that of the rules", () => {
  const rules = [{ question: "greeting", answer: "no" }];
  assert.equal(firstAnswer("greeting", { answers: [{ question: "greeting", answer: "yes" }] }, rules), "yes");
  assert.equal(firstAnswer("greeting", undefined, rules), "no");
  assert.equal(firstAnswer("kind", undefined, rules), "");
});

test("a question's id is made of its words and is unique", () => {
  assert.equal(idFor("Did one hear a smile?", []), "did-one-hear-a-smile");
  assert.equal(idFor("Smile!", ["smile", "smile-2"]), "smile-3");
  assert.equal(idFor("???", []), "question");
});
