// The history: calls that match the search, and the opened call beside them. The address holds the search.

import { Desk } from "../call/desk.js";
import { Listening } from "../call/listening.js";
import { Panel } from "../call/panel.js";
import { Judging } from "../judging/judging.js";
import { Acting } from "../shared/live/acting.js";
import { Calls } from "../shared/live/store.js";
import { fillCards } from "../shared/rows.js";
import { asked, cells } from "./found.js";
import { _, ngettext } from "../shared/wording/language.js";
import { inPieces } from "../shared/wording/sought.js";

const at = (selector) => document.querySelector(selector);
const form = at("#filters");
const calls = new Calls();

const panel = new Panel(at("#call"), calls, Date.now);
const acting = new Acting({
  calls,
  dialog: at("#who"),
  said: at("#said"),
  onChange: (event) => {
    calls.apply(event, Date.now());
    panel.apply(event);
  },
});
const desk = new Desk(at("#call"), acting);
const judging = [new Judging(at("#judged-now"), acting, 1), new Judging(at("#judging"), acting)];
const listening = document.querySelector("#listen") && new Listening(at("#listen"), at("[data-listen=play]"));
panel.onDraw = (row, nowMs) => {
  desk.show(row, nowMs);
  for (const list of judging) list.show(row);
  listening?.show(row.state !== "live", panel.worst, panel.utterances);
};
panel.onPlay = (second, more) => listening?.from(second, more);
if (listening) listening.onHeard = (second) => panel.hear(second);

/** The columns from the alerts on hold sentences. */
const WIDE = 7;
let cursor = null;
let searches = 0;
let listed = "";
let places = {}; // call_id -> where the words were found
let words = "";
let sounding = false; // no call holds the words: those where something sounds like them are listed

/** Lists the calls that the address asks for. `more`: appends the next ones. */
async function list(more = false) {
  const search = ++searches;
  listed = location.search;
  const query = asked(new URLSearchParams(location.search));
  if (more) query.set("cursor", cursor);
  else sounding = false;
  if (sounding) query.set("sounding", "yes");
  try {
    const answer = await fetch(`/v1/calls?${query}`, { headers: { Accept: "application/json" } });
    let told = await answer.json();
    if (search !== searches) return;
    if (answer.ok && !told.calls.length && !more && query.get("text")) {
      query.set("sounding", "yes");
      const again = await fetch(`/v1/calls?${query}`, { headers: { Accept: "application/json" } });
      if (search !== searches) return;
      if (again.ok) told = await again.json();
      sounding = told.calls.length > 0;
    }
    if (!answer.ok) {
      at("#found").textContent = told.detail || told.title;
      return;
    }
    show(told, more);
  } catch {
    if (search === searches) at("#found").textContent = _("The page could not fetch the calls. Press Find to try again.");
  }
}

function show({ calls: found, hits, next_cursor }, more) {
  words = new URLSearchParams(listed).get("text") ?? "";
  const rows = found.map((row) => line(row, hits[row.call_id]));
  const body = at("#calls tbody");
  fillCards(at("#calls"), rows, more);
  places = more ? { ...places, ...hits } : hits;
  cursor = next_cursor;
  at("#more").hidden = !cursor;
  at("#calls").hidden = !body.rows.length;
  const shown = body.rows.length;
  at("#found").textContent = shown ? counted(shown) : listed ? _("No call matches. Try fewer words, or press Clear.") : _("There is no call yet. Calls come from your telephony; an admin sets it up under First call.");
  if (more) rows[0]?.querySelector("a").focus();
}

function counted(shown) {
  const calls = ngettext("{n} call", "{n} calls", shown);
  const listed = cursor ? _("{calls}, and more", { calls }) : calls;
  return sounding ? _("{calls}, by sound", { calls: listed }) : listed;
}

function line(row, hit) {
  const made = document.createElement("tr");
  made.dataset.callId = row.call_id;
  cells(row, hit).forEach((text, index) => {
    const cell = document.createElement(index ? "td" : "th");
    if (index) cell.textContent = text;
    else {
      cell.scope = "row";
      const link = document.createElement("a");
      link.href = `#/calls/${encodeURIComponent(row.call_id)}`;
      link.textContent = text;
      cell.append(link);
    }
    made.append(cell);
  });
  if (hit) markFound(made.cells[made.cells.length - 1]);
  for (const cell of [...made.cells].slice(WIDE)) cell.className = "wide";
  return made;
}

function markFound(cell) {
  const shown = inPieces(cell.textContent, words).map(({ piece, found }) => {
    if (!found) return piece;
    const made = document.createElement("mark");
    made.textContent = piece;
    return made;
  });
  cell.replaceChildren(...shown);
}

/** Fills the form from the address. */
function fill() {
  const given = new URLSearchParams(location.search);
  for (const field of form.elements) {
    if (field.name) field.value = given.get(field.name) ?? (field.tagName === "SELECT" ? field.options[0].value : "");
  }
}

/** Shows all fields on a phone, or the first one only. */
function unfold(open) {
  form.dataset.unfolded = open ? "yes" : "no";
  at("#unfold").setAttribute("aria-expanded", String(open));
}

function find() {
  const given = new FormData(form);
  const query = new URLSearchParams();
  for (const [name, value] of given) if (value) query.set(name, String(value));
  history.pushState(null, "", `?${query}${location.hash}`);
  list();
}

at("#unfold").addEventListener("click", () => unfold(form.dataset.unfolded === "no"));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  find();
});
form.addEventListener("reset", () => setTimeout(find));
addEventListener("popstate", () => {
  if (location.search === listed) return; // a call was opened or closed
  fill();
  list();
});
at("#calls").addEventListener("click", ({ target }) => {
  if (!target.closest("a")) target.closest("tr[data-call-id]")?.querySelector("a").click();
});
at("#more").addEventListener("click", () => list(true));

panel.onChange = (id) => {
  listening?.follow(id);
  document.documentElement.dataset.opened = id ? "yes" : "no";
  for (const row of at("#calls tbody").rows) row.toggleAttribute("data-opened", row.dataset.callId === id);
  if (id && places[id]) panel.find(places[id].utterance_id, words);
};

function close() {
  const id = panel.id;
  panel.close();
  if (id) at(`tr[data-call-id="${CSS.escape(id)}"] a`)?.focus();
}
at("#call-close").addEventListener("click", close);
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && panel.id && !at("dialog[open]")) close();
});

fill();
unfold([...new URLSearchParams(location.search).keys()].some((name) => name !== "text"));
panel.follow();
list();
