import assert from "node:assert/strict";
import test from "node:test";

import * as format from "../../webapp/static/js/shared/wording/format.js";
import { reaches } from "../../webapp/static/js/shared/live/link.js";
import { HEIGHT, place, WIDTH } from "../../webapp/static/js/table/sparkline.js";

test("a score of 0 is shown as 0, a missing score as a dash", () => {
  assert.deepEqual([0, -0.001, null, 0.305, -0.42].map(format.signed), ["0.00", "0.00", "–", "+0.30", "−0.42"]);
  assert.deepEqual([0, null, 0.1, -0.1].map(format.mood), ["even", "none", "good", "bad"]);
});

test("durations and spans", () => {
  assert.deepEqual([-3, 0, 65.9, 3725].map(format.duration), ["0:00", "0:00", "1:05", "1:02:05"]);
  assert.deepEqual([8.4, 89, 600, 7200].map(format.span), ["8 s", "89 s", "10 min", "2 h"]);
});

test("a mood is shown in words, and its numbers on request", () => {
  const moods = [null, -0.7, -0.2, 0.05, 0.2, 0.7].map(format.moodWord);
  assert.deepEqual(moods, ["–", "angry", "unhappy", "even", "content", "happy"]);
  assert.deepEqual([null, 0.01, -0.3, 0.3].map(format.course), ["", "steady", "falling", "rising"]);
  const numbers = "mood −0.55 on the scale from −1 to +1, −0.30 a minute";
  assert.equal(format.moodNumbers({ score: -0.55, trend: -0.3 }), numbers);
  assert.equal(format.moodNumbers({ score: null, trend: null }), "nothing scored yet");
});

test("cursors are compared by the feed ids of every shard, as numbers", () => {
  assert.ok(reaches("10-0+3", "9-1.ab") && !reaches("9-1.ab", "10-0+3"));
  assert.ok(reaches("10-10.0000", "10-9.ffff") && !reaches("10-9.ffff", "10-10.0000"));
  assert.ok(reaches("10-1.ab", "10-1.cd"));
  assert.ok(reaches("10-1.ab,7-0.ab", "10-1.ab,6-0.cd") && !reaches("10-1.ab,6-0.cd", "10-1.ab,7-0.ab"));
  assert.ok(!reaches("11-1.ab,6-0.cd", "10-1.ab,7-0.ab"));
  assert.ok(!reaches("11-1.ab", "10-1.ab,7-0.ab") && reaches("away,7-0.ab", "away,6-0.ab"));
  assert.ok(!reaches("away,7-0.ab", "10-1.ab,6-0.ab"));
});

test("the trend line stays inside its box and rises with the score", () => {
  const points = place([[0, -1.5], [30, 0], [200, 2]]);
  assert.ok(points.every(([x, y]) => x >= 0 && x <= WIDTH && y >= 0 && y <= HEIGHT));
  assert.ok(points[0][1] > points[1][1] && points[1][1] > points[2][1]);
  assert.deepEqual(place([]), []);
});
