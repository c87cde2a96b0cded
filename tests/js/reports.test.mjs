import assert from "node:assert/strict";
import test from "node:test";
import { asked, cells, COLUMNS, COMPARED, HELPER_COLUMNS, inWords, onOneScale, PLOTS } from "../../webapp/static/js/reports/figures.js";

const none = Object.fromEntries(["seconds", "peak_attention", "sentiment", "seconds_to_act", "talk_ratio", "silence_seconds", "hold_seconds", "interruptions", "words_per_minute", "mood_before", "mood_after", "seconds_to_help"].map((name) => [name, null]));
const empty = { name: "", calls: 0, raised: 0, settled: 0, open: 0, taken: 0, prompt: 0, watched: 0, recovered: 0, help_asked: 0, help_answered: 0, help_cancelled: 0, ...none };
const full = { ...empty, name: "Dana", calls: 8, seconds: 100, raised: 4, sentiment: -0.25, taken: 3, prompt: 1, seconds_to_act: 160, watched: 2, recovered: 1, talk_ratio: 0.5, help_asked: 4, help_answered: 3, seconds_to_help: 65 };

test("a row shows parts as shares, and unknown values as dashes", () => {
  const row = Object.fromEntries(cells(full).slice(1).map((text, n) => [COLUMNS[n][0], text]));
  assert.equal(row["Needed attention"], "4 (50 %)");
  assert.equal(row["In a minute"], "1 (33 %)");
  assert.equal(row["Time to take"], "2:40");
  assert.equal(row.Recovered, "1 (50 %)");
  assert.equal(row["Mood at the end"], "unhappy (−0.25)");
  assert.equal(row.Silence, "–");
  assert.deepEqual([row["Asked for help"], row.Answered, row["Time to answer"]], ["4", "3 (75 %)", "1:05"]);
  assert.deepEqual(cells({ name: "sam", help_answered: 3, seconds_to_help: 65 }, HELPER_COLUMNS), ["sam", "3", "1:05"]);
  assert.deepEqual(new Set(cells(empty).slice(2)), new Set(["–"]));
  assert.equal(cells(empty)[0], "not named");
});

test("a plot in words names its lowest and highest day", () => {
  const days = [{ ...full, name: "2026-01-01" }, { ...empty, name: "2026-01-02" }, { ...full, name: "2026-01-03", raised: 8 }];
  const plot = PLOTS.find(({ title }) => title === "Calls that needed attention");
  assert.equal(inWords(plot, days), "2 of 3 days; lowest 50 % on 2026-01-01, highest 100 % on 2026-01-03.");
  assert.equal(inWords(plot, [days[1]]), "No call has this figure.");
});

test("agents are compared on one scale", () => {
  const time = COMPARED.find(({ title }) => title === "Time until a call was taken");
  const compared = [{ name: "Dana", periods: [full] }, { name: "", periods: [empty, { ...full, seconds_to_act: 300 }] }];
  const plots = onOneScale(time, compared);
  assert.deepEqual(plots.map(({ plot }) => [plot.title, plot.low, plot.high]), [["Dana", 0, 300], ["not named", 0, 300]]);
});

test("the page asks for the viewer's time zone unless the address names one", () => {
  assert.equal(String(asked(new URLSearchParams("queue=a+b&x=1"), "Europe/Berlin")), "zone=Europe%2FBerlin&queue=a+b");
  assert.equal(asked(new URLSearchParams("zone=UTC"), "Europe/Berlin").get("zone"), "UTC");
});
