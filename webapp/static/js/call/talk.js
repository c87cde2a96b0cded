// A call's talk figures, from its summary: a table of the parties and a few lines. Pure.

import { duration, MISSING, party } from "../shared/wording/format.js";
import { _ } from "../shared/wording/language.js";

const seconds = (value) => (typeof value === "number" ? duration(value) : MISSING);
const count = (value) => (typeof value === "number" ? String(Math.round(value)) : MISSING);
const share = (value) => (typeof value === "number" ? `${Math.round(value * 100)} %` : MISSING);

/** @type {[string, string, (value: unknown) => string][]} */
const OF_A_PARTY = [
  [_("Talk"), "talk_seconds", seconds],
  [_("Words a minute"), "words_per_minute", count],
  [_("Longest monologue"), "longest_monologue_seconds", seconds],
  [_("Broke in"), "interruptions", count],
];

/** {head, rows} for a table: a column for each party that spoke. */
export function talkTable(talk) {
  const parties = Object.entries(talk.parties ?? {});
  return {
    head: ["", ...parties.map(([name]) => party(name))],
    rows: OF_A_PARTY.map(([label, key, show]) => [label, ...parties.map(([, figures]) => show(figures[key]))]),
  };
}

/** Figures of the whole call as [name, value] pairs. */
export function talkLines(talk) {
  const times = (number, total) => (number ? `${number}, ${seconds(total)}` : _("none"));
  return [
    [_("Agent's share of talk"), share(talk.talk_ratio)],
    [_("Silence"), _("{time}, longest {longest}", { time: seconds(talk.silence_seconds), longest: seconds(talk.longest_silence_seconds) })],
    [_("Hold"), times(talk.holds, talk.hold_seconds)],
    [_("Overlaps"), times(talk.overlaps, talk.overlap_seconds)],
  ];
}
