// The figures of GET /v1/reports in tables and plots. Pure.

import { attention, duration, MISSING, moodWord, signed } from "../shared/wording/format.js";
import { _, locale } from "../shared/wording/language.js";

const known = (value, show) => (typeof value === "number" ? show(value) : MISSING);
const percent = (share) => `${Math.round(share * 100)} %`;
const ROUNDED = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const rounded = (value) => ROUNDED.format(value);
const integer = (value) => String(Math.round(value));
/** "unhappy (−0.20)" */
const moodOf = (polarity) => `${moodWord(polarity)} (${signed(polarity)})`;
const share = (part, whole) => (whole ? part / whole : null);
/** "3 (25 %)"; without a share if the whole is 0. */
const partOf = (part, whole) => (whole ? `${part} (${percent(part / whole)})` : MISSING);

/** @type {[string, (one: any) => string][]} Label of a column, and a row's text there. */
export const COLUMNS = [
  [_("Calls"), (one) => String(one.calls)],
  [_("Mean length"), (one) => known(one.seconds, duration)],
  [_("Needed attention"), (one) => partOf(one.raised, one.calls)],
  [_("Highest attention"), (one) => known(one.peak_attention, attention)],
  [_("Mood at the end"), (one) => known(one.sentiment, moodOf)],
  [_("Settled"), (one) => partOf(one.settled, one.calls)],
  [_("Open"), (one) => partOf(one.open, one.calls)],
  [_("Taken"), (one) => partOf(one.taken, one.raised)],
  [_("In a minute"), (one) => partOf(one.prompt, one.taken)],
  [_("Time to take"), (one) => known(one.seconds_to_act, duration)],
  [_("Mood before"), (one) => known(one.mood_before, moodOf)],
  [_("Mood after"), (one) => known(one.mood_after, moodOf)],
  [_("Recovered"), (one) => partOf(one.recovered, one.watched)],
  [_("Asked for help"), (one) => (one.help_asked ? String(one.help_asked) : MISSING)],
  [_("Answered"), (one) => partOf(one.help_answered, one.help_asked)],
  [_("Time to answer"), (one) => known(one.seconds_to_help, duration)],
  [_("Agent's share"), (one) => known(one.talk_ratio, percent)],
  [_("Silence"), (one) => known(one.silence_seconds, duration)],
  [_("Hold"), (one) => known(one.hold_seconds, duration)],
  [_("Broke in"), (one) => known(one.interruptions, rounded)],
  [_("Words a minute"), (one) => known(one.words_per_minute, integer)],
];

/** The same of those who answered agents that asked for help. @type {[string, (one: any) => string][]} */
export const HELPER_COLUMNS = [
  [_("Answered"), (one) => String(one.help_answered)],
  [_("Time to answer"), (one) => known(one.seconds_to_help, duration)],
];

/** The texts of a row: its name, then every column. */
export const cells = (one, columns = COLUMNS) => [one.name || _("not named"), ...columns.map(([, show]) => show(one))];

/**
 * @typedef {{title: string, value: (one: any) => number | null, show: (value: number) => string, low: number, high?: number}} Plot
 * low, high: ends of the scale; without `high` it ends at the highest figure.
 * @type {Plot[]}
 */
export const PLOTS = [
  { title: _("Calls"), value: (one) => one.calls, show: rounded, low: 0 },
  { title: _("Calls that needed attention"), value: (one) => share(one.raised, one.calls), show: percent, low: 0 },
  { title: _("Mood at the end"), value: (one) => one.sentiment, show: signed, low: -1, high: 1 },
  { title: _("Time until a call was taken"), value: (one) => one.seconds_to_act, show: duration, low: 0 },
  { title: _("Moods that recovered afterwards"), value: (one) => share(one.recovered, one.watched), show: percent, low: 0, high: 1 },
  { title: _("Time until an agent was answered"), value: (one) => one.seconds_to_help, show: duration, low: 0 },
  { title: _("Agent's share of talk"), value: (one) => one.talk_ratio, show: percent, low: 0, high: 1 },
];

/** Figures by which agents and queues are compared over time. @type {Plot[]} */
export const COMPARED = [
  { title: _("Share of alerts taken"), value: (one) => share(one.taken, one.raised), show: percent, low: 0, high: 1 },
  { title: _("Time until a call was taken"), value: (one) => one.seconds_to_act, show: duration, low: 0 },
  { title: _("Time until an agent was answered"), value: (one) => one.seconds_to_help, show: duration, low: 0 },
  { title: _("Mood when a supervisor came"), value: (one) => one.mood_before, show: signed, low: -1, high: 1 },
  { title: _("Mood at the end of those calls"), value: (one) => one.mood_after, show: signed, low: -1, high: 1 },
  { title: _("Calls that needed attention"), value: (one) => share(one.raised, one.calls), show: percent, low: 0, high: 1 },
];

/** The plot of each name, all on one scale. @param {Plot} one  @param {{name: string, periods: any[]}[]} compared */
export function onOneScale(one, compared) {
  const values = compared.flatMap(({ periods }) => periods.map(one.value)).filter((value) => value !== null);
  const high = one.high ?? Math.max(one.low + 1, ...values);
  return compared.map(({ name, periods }) => ({ plot: { ...one, title: name || _("not named"), high }, periods }));
}

/** A plot in words: its ends and where they are. */
export function inWords({ value, show }, days) {
  const points = days.map((day) => ({ day: day.name, value: value(day) })).filter((point) => point.value !== null);
  if (!points.length) return _("No call has this figure.");
  const [least, most] = points.reduce(
    ([low, high], point) => [point.value < low.value ? point : low, point.value > high.value ? point : high],
    [points[0], points[0]],
  );
  return _("{known} of {all} days; lowest {least} on {least_day}, highest {most} on {most_day}.", {
    known: points.length,
    all: days.length,
    least: show(least.value),
    least_day: least.day,
    most: show(most.value),
    most_day: most.day,
  });
}

/** The query of GET /v1/reports for the page's own address, in the viewer's zone unless it names one. */
export function asked(given, zone) {
  const query = new URLSearchParams({ zone });
  for (const name of ["from", "to", "zone", "queue", "agent"]) if (given.get(name)) query.set(name, given.get(name));
  return query;
}
