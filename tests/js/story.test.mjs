import assert from "node:assert/strict";
import test from "node:test";

import { story } from "../../webapp/static/js/shared/live/story.js";

const point = (part, text, at = 0, quote = "so") => ({ part, text, at, quote, track: "agent", utterances: [] });

test("a call's story is one line: the number of the call, what happened in order, promises, the outcome", () => {
  assert.equal(story([], 0), "");
  assert.equal(story([], 2), "Third call");
  assert.equal(story([], 10), "One of many calls");
  const points = [
    point("happened", "the customer threatens", 9), point("happened", "the customer wants a refund", 4),
    point("promise", "", 5, "by Monday"), point("outcome", "open: the customer is unhappy"),
  ];
  assert.equal(
    story(points, 1),
    "Second call, the customer wants a refund, threatens, promised “by Monday”, open: the customer is unhappy",
  );
});
