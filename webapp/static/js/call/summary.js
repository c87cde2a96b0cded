// A call's summary, as lines to read. Pure.

import { attention, duration, MISSING, moodWord, signed } from "../shared/wording/format.js";
import { _ } from "../shared/wording/language.js";
import { inWords } from "../shared/wording/told.js";

/** Figures that another part of the panel shows. */
const ELSEWHERE = new Set(
  ["sentiment_curve", "curve", "talk", "standing", "utterance_id", "track", "raised_seconds", "points", "by_model"],
);

const PARTS = { reason: _("Reason"), happened: _("What happened"), promise: _("Promised"), outcome: _("Outcome") };

/**
 * What a call is about, from GET /v1/calls/{id}/summary: [{label, text, quote, track, at, id}], ready to show. In a live
 * call the present state follows the reason.
 */
export function gistLines({ points, final }) {
  let last = "";
  const outcome = points.filter(({ part }) => part === "outcome");
  const others = points.filter(({ part }) => part !== "outcome");
  const first = others.filter(({ part }) => part === "reason").length;
  const told = final ? points : [...others.slice(0, first), ...outcome, ...others.slice(first)];
  return told.map(({ part, text, quote, at, track, utterances }) => {
    const label = part === last ? "" : part === "outcome" && !final ? _("So far") : PARTS[part] ?? part;
    last = part;
    return { label, text: capital(inWords(text)), quote, track, at, id: utterances[0] };
  });
}

/** What a language model wrote, as [name, text] pairs. */
export function modelLines({ reason, happened, promises, outcome }) {
  const told = [[PARTS.reason, reason], [PARTS.happened, happened], [PARTS.promise, promises.join("; ")], [PARTS.outcome, outcome]];
  return told.filter(([, text]) => text);
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** A summary as [name, value] pairs; "talk_seconds" of "agent" reads "agent talk". */
export function summaryLines(summary) {
  const told = Object.entries(summary).filter(([name]) => name !== "talk_seconds" || !summary.talk);
  return told.flatMap(([name, value]) => lines(name, value));
}

/** Names on the page; what else the API names stays as it is. */
const NAMES = {
  sentiment_score: _("mood of the whole call"),
  peak_attention: _("highest attention"),
  duration_seconds: _("length of the audio"),
  worst_moment: _("worst moment"),
  customer_effort_db: _("customer effort db"),
  verdict: _("verdict"),
  model: _("model"),
};

function lines(name, value) {
  if (ELSEWHERE.has(name)) return [];
  const label = NAMES[name] ?? name.replaceAll("_", " ");
  if (value !== null && typeof value === "object" && !Array.isArray(value)) {
    if ("at" in value && "text" in value) return [[label, `${duration(value.at)} “${value.text}”`]];
    const [whole, unit] = name.endsWith("_seconds") ? [label.replace(/ seconds$/, ""), "_seconds"] : ["", ""];
    return Object.entries(value).flatMap(([inner, part]) =>
      lines(inner + unit, part).map(([tail, shown]) => [`${tail} ${whole}`.trim(), shown]),
    );
  }
  return [[label.replace(/ seconds$/, ""), show(name, value)]];
}

function show(name, value) {
  if (value === null) return MISSING;
  if (Array.isArray(value)) return value.join(", ") || MISSING;
  if (typeof value !== "number") return String(value);
  if (/seconds$/.test(name)) return duration(value);
  if (/score|polarity/.test(name)) return `${moodWord(value)} (${signed(value)})`;
  if (/attention$/.test(name)) return attention(value);
  return String(Math.round(value * 100) / 100);
}
