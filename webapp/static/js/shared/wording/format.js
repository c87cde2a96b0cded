// Values as people read them. A missing value is an en dash, never a nought; a nought is never missing.

import { _, locale } from "./language.js";

export const MISSING = "–";

/** Seconds as 4:07 or 1:02:33. */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** A span in words short enough for a cell: 8 s, 3 min, 2 h. */
export function span(seconds) {
  if (seconds < 90) return _("{n} s", { n: Math.max(0, Math.round(seconds)) });
  if (seconds < 5400) return _("{n} min", { n: Math.round(seconds / 60) });
  return _("{n} h", { n: Math.round(seconds / 3600) });
}

const HUNDREDTHS = new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const TENTHS = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
/** A number with one digit. */
export const tenths = (value) => TENTHS.format(Number(value.toFixed(1)));

/** A signed number with two digits and a true minus; "0.00" has no sign. */
export function signed(value) {
  if (value === null || value === undefined) return MISSING;
  const rounded = Number(Math.abs(value).toFixed(2));
  const digits = HUNDREDTHS.format(rounded);
  if (rounded === 0) return digits;
  return (value < 0 ? "\u2212" : "+") + digits;
}

/** Polarity from here up is good, from its negative down bad; between them it is even. */
const MOOD_EDGE = 0.1;

/** "good", "even", "bad", or "none" where there is no score. */
export function mood(score) {
  if (score === null || score === undefined) return "none";
  return score >= MOOD_EDGE ? "good" : score <= -MOOD_EDGE ? "bad" : "even";
}

/** From here on, up or down, a mood gets a stronger word than good or bad. */
const STRONG_EDGE = 0.5;

/** A mood in a word. The numbers show on demand. */
export function moodWord(score) {
  const kind = mood(score);
  if (kind === "none") return MISSING;
  if (kind === "even") return _("even");
  if (kind === "good") return score >= STRONG_EDGE ? _("happy") : _("content");
  return score <= -STRONG_EDGE ? _("angry") : _("unhappy");
}

/** Attention 0..1 as 0..100. */
export const attention = (value) => String(Math.round(value * 100));

/** The direction of a mood (polarity a minute) in a word; "" while it is unknown. */
export function course(trend) {
  if (trend === null || trend === undefined) return "";
  if (Math.abs(trend) < 0.05) return _("steady");
  return trend < 0 ? _("falling") : _("rising");
}

/** A mood in numbers. */
export function moodNumbers({ score, trend }) {
  if (score === null || score === undefined) return _("nothing scored yet");
  const values = { score: signed(score), trend: signed(trend) };
  if (!trend) return _("mood {score} on the scale from \u22121 to +1", values);
  return _("mood {score} on the scale from \u22121 to +1, {trend} a minute", values);
}

const CLOCK = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const MOMENT = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });

const DAY = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
/** Day and time of day in the viewer's zone, without the year. */
export const day = (ms) => DAY.format(ms);

/** The time of day in the viewer's zone. */
export const clock = (ms) => CLOCK.format(ms);
/** Date and time in the viewer's zone. */
export const moment = (ms) => MOMENT.format(ms);

const PARTIES = { agent: _("agent"), customer: _("customer") };
/** A track's name; those that every call has in the page's language. */
export const party = (track) => PARTIES[track] ?? track;

const STATES = { live: _("live"), ending: _("ending"), ended: _("ended") };
/** A call's state in a word. */
export const stateWord = (state) => STATES[state] ?? state;
