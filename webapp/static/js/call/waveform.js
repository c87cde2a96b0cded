// A recording's waveform: the agent above the line, the customer below. It marks pauses, overlaps, and where the file is
// silent on purpose.

import { duration } from "../shared/wording/format.js";
import { _ } from "../shared/wording/language.js";

const SVG = "http://www.w3.org/2000/svg";
/** Least length of a pause of both that is marked, as in workers/insight/talk.py. */
const SILENCE_SECONDS = 3;
/** Least length of an overlap that is marked. A shorter one is a quick answer. */
const OVERLAP_SECONDS = 0.25;
const WHY = { missing: _("no audio came"), secret: _("silenced: something secret was said"), paused: _("the recording was paused") };

/** Seconds [from, to] in which nobody speaks, and in which two tracks do. Pure. */
export function spansOf(utterances, seconds) {
  const said = utterances.filter(({ text }) => text).sort((a, b) => a.start - b.start);
  const silences = [];
  const overlaps = [];
  let until = 0;
  said.forEach((one, n) => {
    if (one.start - until >= SILENCE_SECONDS) silences.push([until, one.start]);
    until = Math.max(until, one.end);
    for (const other of said.slice(n + 1)) {
      if (other.start >= one.end) break;
      const end = Math.min(one.end, other.end);
      if (other.track !== one.track && end - other.start >= OVERLAP_SECONDS) overlaps.push([other.start, end]);
    }
  });
  if (seconds - until >= SILENCE_SECONDS) silences.push([until, seconds]);
  return { silences, overlaps };
}

/** Draws it. @param about the answer of GET .../recording */
export function drawWave(svg, about, utterances) {
  const { seconds, step, left, right } = about;
  const { silences, overlaps } = spansOf(utterances, seconds);
  const bands = [
    ...silences.map(([from, to]) => band("silence", from, to, _("nobody speaks"))),
    ...overlaps.map(([from, to]) => band("overlap", from, to, _("both speak"))),
    ...about.silences.map(({ start, end, why }) => band(why, start, end, WHY[why] ?? why)),
  ];
  svg.setAttribute("viewBox", `0 -100 ${seconds} 200`);
  svg.setAttribute("preserveAspectRatio", "none");
  const talk = _("pauses: {pauses}, times both speak: {overlaps}", { pauses: silences.length, overlaps: overlaps.length });
  const mute = about.silences.map(({ start, why }) => _("at {time} {what}", { time: duration(start), what: WHY[why] ?? why }));
  svg.setAttribute("aria-label", [_("Recording of {time}: {talk}", { time: duration(seconds), talk }), ...mute].join("; "));
  svg.replaceChildren(...bands, half(left, -1, step), half(right, 1, step));
}

/** Marks the second that is heard. */
export function drawPlace(svg, second) {
  svg.querySelector(".head")?.remove();
  if (second === null) return;
  svg.append(node("line", { class: "head", x1: second, x2: second, y1: -100, y2: 100 }));
}

function half(levels, side, step) {
  const points = levels.map((level, n) => `${(n * step).toFixed(2)} ${side * level}L${((n + 1) * step).toFixed(2)} ${side * level}`);
  return node("path", { class: side < 0 ? "agent" : "customer", d: `M0 0L${points.join("L")}L${levels.length * step} 0z` });
}

function band(kind, from, to, told) {
  const made = node("rect", { class: kind, x: from, width: Math.max(0, to - from), y: -100, height: 200 });
  const title = document.createElementNS(SVG, "title");
  title.textContent = `${duration(from)} ${told}`;
  made.append(title);
  return made;
}

function node(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}
