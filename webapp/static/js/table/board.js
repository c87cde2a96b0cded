// The wallboard: large cards for the calls that need attention, tiles for the other live ones, to read from afar.

import { mark } from "../shared/dom.js";
import * as format from "../shared/wording/format.js";
import { helpInWords, handlingInWords, wantsHelp } from "../shared/wording/handling.js";
import { headlines, inParts } from "../shared/wording/reasons.js";
import { _ } from "../shared/wording/language.js";
import { customerOf, titleOf } from "../shared/live/store.js";

/** At most so many cards, because nobody reads more; the other calls are tiles. */
const CARDS = 6;
const ALERTS = 2;
/** Number of tiles from which they are smaller. */
const CROWD = 40;

export class Board {
  #root;
  #cards;
  #tiles;
  #shown = new Map(); // call_id -> {key, element}

  /** @param root the element with two lists, of cards and of tiles */
  constructor(root) {
    this.#root = root;
    [this.#cards, this.#tiles] = root.querySelectorAll("ul");
  }

  /** @param groups group -> ids in order  @param rows call_id -> row  @param nowMs the server's clock */
  show(groups, rows, nowMs) {
    const live = [...groups.needs, ...groups.snoozed, ...groups.rest].map((id) => rows.get(id)).filter(Boolean);
    const raised = live.filter((row) => groups.needs.includes(row.call_id)).slice(0, CARDS);
    const rest = live.filter((row) => !raised.includes(row));
    mark(this.#root, "crowded", rest.length > CROWD ? "yes" : "no");
    place(this.#cards, raised.map((row) => this.#element(row, nowMs, card)));
    const needs = new Set(groups.needs);
    place(this.#tiles, rest.map((row) => this.#element(row, nowMs, needs.has(row.call_id) ? raisedTile : tile)));
    for (const id of this.#shown.keys()) if (!rows.has(id)) this.#shown.delete(id);
  }

  #element(row, nowMs, make) {
    const time = format.duration((nowMs - Date.parse(row.started_at)) / 1000);
    const parts = make(row, time);
    const key = JSON.stringify([make.name, parts]);
    const known = this.#shown.get(row.call_id);
    if (known?.key === key) return known.element;
    const element = known?.element ?? document.createElement("li");
    element.dataset.callId = row.call_id;
    element.dataset.mood = format.mood(row.sentiment.score);
    element.dataset.needs = make === tile ? "no" : "yes";
    element.replaceChildren(...parts.map(([name, text]) => part(name, text)));
    this.#shown.set(row.call_id, { key, element });
    return element;
  }
}

/** A card's texts: [class, text] pairs. */
function card(row, time) {
  const why = headlines(row, true).slice(0, ALERTS).map(({ text }) => ["reason", text]);
  const { last } = row;
  return [
    ["title", titleOf(row)],
    ["facts", [format.moodWord(row.sentiment.score), format.course(row.sentiment.trend), time].filter(Boolean).join(" · ")],
    ...(wantsHelp(row) ? [["help", helpInWords(row.handling)]] : []),
    ...why,
    ["words", last ? `${format.party(last.track)}: ${last.text}` : ""],
    ["handled", handlingInWords(row, "")],
  ];
}

function tile(row, time) {
  return [
    ["title", row.metadata.agent || customerOf(row) || row.call_id],
    ["facts", `${format.moodWord(row.sentiment.score)} · ${time}`],
  ];
}

/** A call that needs somebody, for which there is no card left. */
function raisedTile(row, time) {
  const [title] = tile(row, time);
  return [title, ["facts", `${_("Needs attention")} · ${time}`]];
}

function part(name, text) {
  const made = document.createElement("p");
  made.className = name;
  if (name === "reason") made.append(...inParts(text));
  else made.textContent = text;
  return made;
}

/** Puts these elements into the list in this order. Moves none that is in its place. */
function place(list, elements) {
  elements.forEach((element, n) => {
    if (list.children[n] !== element) list.insertBefore(element, list.children[n] ?? null);
  });
  while (list.children.length > elements.length) list.lastElementChild.remove();
}
