// A call's talk figures, from its summary: a table of the parties and a few lines. Pure.

import { duration, MISSING } from "../shared/wording/format.js";

const seconds = (value) => (typeof value === "number" ? duration(value) : MISSING);
const count = (value) => (typeof value === "number" ? String(Math.round(value)) : MISSING);
const share = (value) => (typeof value === "number" ? `${Math.round(value * 100)} %` : MISSING);

/** @type {[string, string, (value: unknown) => string][]} */
const OF_A_PARTY = [
  ["Talk", "talk_seconds", seconds],
  ["Words a minute", "words_per_minute", count],
  ["Longest monologue", "longest_monologue_seconds", seconds],
  ["Broke in", "interruptions", count],
];

/** {head, rows} for a table: a column for each party that spoke. */
export function talkTable(talk) {
  const parties = Object.entries(talk.parties ?? {});
  return {
    head: ["", ...parties.map(([name]) => name)],
    rows: OF_A_PARTY.map(([label, key, show]) => [label, ...parties.map(([, figures]) => show(figures[key]))]),
  };
}

/** Figures of the whole call as [name, value] pairs. */
export function talkLines(talk) {
  const times = (number, total) => (number ? `${number}, ${seconds(total)}` : "none");
  return [
    ["Agent's share of talk", share(talk.talk_ratio)],
    ["Silence", `${seconds(talk.silence_seconds)}, longest ${seconds(talk.longest_silence_seconds)}`],
    ["Hold", times(talk.holds, talk.hold_seconds)],
    ["Overlaps", times(talk.overlaps, talk.overlap_seconds)],
  ];
}
