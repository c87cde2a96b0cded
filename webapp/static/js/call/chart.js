// Sentiment over the time of a call: the smoothed score as a line, each utterance as a dot, alerts as flags.

import { duration, moodWord } from "../shared/wording/format.js";
import { _ } from "../shared/wording/language.js";
import { inWords } from "../shared/wording/told.js";

const SVG = "http://www.w3.org/2000/svg";
const FRAME = { left: 58, right: 8, top: 12, bottom: 16 };
/** The chart's lines and their labels: the middle and the ends of the scale. */
/** @type {[number, string][]} */
const LEVELS = [[-1, _("angry")], [0, _("even")], [1, _("happy")]];

/** Converts time and score to the chart's pixels, and back. The page sets the chart's size. */
export function scales(svg, seconds) {
  const width = Math.max(1, svg.clientWidth - FRAME.left - FRAME.right);
  const height = Math.max(1, svg.clientHeight - FRAME.top - FRAME.bottom);
  const whole = Math.max(30, seconds);
  return {
    x: (second) => FRAME.left + (Math.min(second, whole) / whole) * width,
    y: (score) => FRAME.top + ((1 - Math.max(-1, Math.min(1, score))) / 2) * height,
    second: (x) => Math.max(0, Math.min(1, (x - FRAME.left) / width)) * whole,
  };
}

/** Draws a call's course into `svg`. */
export function draw(svg, { curve, alerts, utterances, seconds, loud }) {
  const raised = utterances.filter(({ id }) => loud.includes(id));
  const [width, height] = [svg.clientWidth, svg.clientHeight];
  const { x, y } = scales(svg, seconds);
  const parts = LEVELS.flatMap(([score, name]) => [
    node("line", { class: score ? "grid" : "zero", x1: FRAME.left, x2: width - FRAME.right, y1: y(score), y2: y(score) }),
    node("text", { x: FRAME.left - 6, y: y(score) + 3, "text-anchor": "end" }, name),
  ]);
  for (const [second, anchor] of [[0, "start"], [seconds, "end"]]) {
    parts.push(node("text", { x: x(second), y: height - 4, "text-anchor": anchor }, duration(second)));
  }
  for (const { at, reason } of alerts) {
    const flag = node("g", { class: "flag" });
    const [left, top] = [x(at), FRAME.top];
    flag.append(
      node("line", { x1: left, x2: left, y1: top, y2: height - FRAME.bottom }),
      node("path", { d: `M${left - 5} ${top - 10}h10l-5 9z` }),
      node("title", {}, `${duration(at)} ${inWords(reason)}`),
    );
    parts.push(flag);
  }
  for (const { track, start, sentiment } of utterances) {
    if (!sentiment) continue;
    const dot = { class: `dot ${track === "customer" ? "customer" : ""}`, r: 2.5, cx: x(start), cy: y(sentiment.polarity) };
    parts.push(node("circle", dot));
  }
  for (const { start, end } of raised) {
    const [left, right, top] = [x(start), Math.max(x(end), x(start) + 4), height - FRAME.bottom - 1];
    const mark = node("path", { class: "loud", d: `M${left} ${top}h${right - left}M${left} ${top - 3}h${right - left}` });
    mark.append(node("title", {}, `${duration(start)} ${_("raised voice")}`));
    parts.push(mark);
  }
  const points = curve.map(([second, score]) => `${x(second).toFixed(1)},${y(score).toFixed(1)}`).join(" ");
  parts.push(node("polyline", { class: "curve", points }));
  svg.setAttribute("aria-label", described(curve, alerts, raised));
  svg.replaceChildren(...parts);
}

/** Marks the second that is heard; null removes the mark. */
export function drawHead(svg, second, seconds) {
  svg.querySelector(".head")?.remove();
  if (second === null) return;
  const x = scales(svg, seconds).x(second);
  const height = svg.clientHeight;
  svg.append(node("line", { class: "head", x1: x, x2: x, y1: FRAME.top - 6, y2: height - FRAME.bottom + 4 }));
}

/** The chart for those who do not see it. */
function described(curve, alerts, raised) {
  if (!curve.length) return _("Mood over time: nothing scored yet");
  const scores = curve.map(([, score]) => score);
  const [least, most] = [Math.min(...scores), Math.max(...scores)];
  const flags = alerts.map(({ at, reason }) => _("at {time} {what}", { time: duration(at), what: inWords(reason) })).join(", ");
  const moods = { least: moodWord(least), most: moodWord(most), now: moodWord(scores.at(-1)) };
  return [
    _("Mood over time: between {least} and {most}, now {now}", moods),
    flags && _("alerts: {flags}", { flags }),
    raised.length && _("raised voice at {times}", { times: raised.map(({ start }) => duration(start)).join(", ") }),
  ].filter(Boolean).join("; ");
}

function node(name, attributes, text = "") {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text) made.textContent = text;
  return made;
}
