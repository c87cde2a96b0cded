import assert from "node:assert/strict";
import test from "node:test";
import { gistLines, modelLines, summaryLines } from "../../webapp/static/js/call/summary.js";

const point = (part, text = "") => ({ part, text, quote: "q", at: 1, utterances: ["customer:0", "agent:0"], track: "customer" });

test("each part is named once, and a live call's outcome is called \"So far\"", () => {
  const points = [point("reason"), point("promise"), point("promise", "it was said"), point("outcome", "open: no")];
  const lines = gistLines({ points, final: false });
  assert.deepEqual(lines.map(({ label }) => label), ["Reason", "So far", "Promised", ""]);
  assert.deepEqual(lines.map(({ text }) => text), ["", "Open: no", "", "It was said"]);
  assert.equal(lines[0].id, "customer:0");
  assert.equal(gistLines({ points, final: true }).at(-1).label, "Outcome");
});

test("a model's summary shows only the parts it has, and points are not among the figures", () => {
  const written = { model: "m", reason: "a", happened: "", promises: ["b", "c"], outcome: "" };
  assert.deepEqual(modelLines(written), [["Reason", "a"], ["Promised", "b; c"]]);
  assert.deepEqual(summaryLines({ duration_seconds: 34, points: [point("reason")], by_model: written }), [["length of the audio", "0:34"]]);
});
