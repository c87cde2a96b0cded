// A figure by day as an SVG: bars from zero, a dash for a day without a figure. It needs no colour.

import { _ } from "../shared/wording/language.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 420;
const HEIGHT = 150;
const FRAME = { left: 46, right: 8, top: 10, bottom: 20 };
const inner = { width: WIDTH - FRAME.left - FRAME.right, height: HEIGHT - FRAME.top - FRAME.bottom };
let made = 0;

/**
 * A figure with its plot.
 * @param {import("./figures.js").Plot} one  @param {any[]} days of the report  @param {string} told the plot in words
 */
export function plot({ title, value, show, low, high }, days, told) {
  const values = days.map(value);
  const most = high ?? Math.max(...values.filter((one) => one !== null), 0);
  const top = most > low ? most : low + 1;
  const y = (at) => FRAME.top + (1 - (at - low) / (top - low)) * inner.height;
  const step = inner.width / Math.max(1, days.length);
  const zero = y(Math.max(low, 0));
  const parts = [...new Set([low, Math.max(low, 0), top])].flatMap((at) => [
    node("line", { class: at === 0 ? "zero" : "grid", x1: FRAME.left, x2: WIDTH - FRAME.right, y1: y(at), y2: y(at) }),
    node("text", { x: FRAME.left - 6, y: y(at) + 4, "text-anchor": "end" }, show(at)),
  ]);
  days.forEach((day, n) => {
    const x = FRAME.left + n * step;
    const at = values[n];
    const width = Math.max(1, step * 0.7);
    const end = at === null ? zero : y(Math.min(at, top));
    const height = Math.max(1, Math.abs(end - zero));
    const bar = at === null
      ? node("line", { class: "none", x1: x, x2: x + width, y1: zero, y2: zero })
      : node("rect", { class: at < 0 ? "bar below" : "bar", x, width, y: Math.min(end, zero), height });
    bar.append(node("title", {}, `${day.name}: ${at === null ? _("no figure") : show(at)}`));
    parts.push(bar);
  });
  const ends = days.length > 1 ? [[days[0], "start", FRAME.left], [days.at(-1), "end", WIDTH - FRAME.right]] : [[days[0], "start", FRAME.left]];
  for (const [day, anchor, x] of ends) parts.push(node("text", { x, y: HEIGHT - 5, "text-anchor": anchor }, day.name));
  const id = `plot-${made++}`;
  const svg = node("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-labelledby": `${id}-title ${id}-desc` });
  svg.append(node("title", { id: `${id}-title` }, _("{title}, by day", { title })), node("desc", { id: `${id}-desc` }, told), ...parts);
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  caption.textContent = title;
  figure.append(caption, svg);
  return figure;
}

function node(name, attributes, text = "") {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  return element;
}
