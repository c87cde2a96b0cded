// Reviews: the calls of a sample, and the opened one beside them with its scorecard. The address holds the query.

import { Desk } from "../call/desk.js";
import { Listening } from "../call/listening.js";
import { Panel } from "../call/panel.js";
import { Judging } from "../judging/judging.js";
import { Acting } from "../shared/live/acting.js";
import { ask } from "../shared/live/session.js";
import { Calls, customerOf } from "../shared/live/store.js";
import { fillCards, rowOf } from "../shared/rows.js";
import * as format from "../shared/wording/format.js";
import { editQuestions } from "./editor.js";
import { Scorecard } from "./scorecard.js";
import { percent } from "./scores.js";
import { _, ngettext } from "../shared/wording/language.js";

const at = (selector) => document.querySelector(selector);
const form = at("#asked");
const calls = new Calls();
const panel = new Panel(at("#call"), calls, Date.now);
const acting = new Acting({ calls, dialog: at("#who"), said: at("#said"), onChange: (event) => panel.apply(event) });
const desk = new Desk(at("#call"), acting);
const judging = [new Judging(at("#judged-now"), acting, 1), new Judging(at("#judging"), acting)];
const listening = at("#listen") && new Listening(at("#listen"), at("[data-listen=play]"));
const card = new Scorecard(acting, (second) => panel.jumpTo(second));
card.onKept = list;
panel.onDraw = (row, nowMs) => {
  desk.show(row, nowMs);
  for (const questions of judging) questions.show(row);
  listening?.show(row.state !== "live", panel.worst, panel.utterances);
};
panel.onPlay = (second, more) => listening?.from(second, more);
if (listening) listening.onHeard = (second) => panel.hear(second);
panel.onChange = (id) => {
  listening?.follow(id);
  card.follow(id);
  document.documentElement.dataset.opened = id ? "yes" : "no";
  for (const row of at("#sample tbody").rows) row.toggleAttribute("data-opened", row.dataset.callId === id);
};
editQuestions(acting, () => card.follow(panel.id));

let lists = 0;

async function list() {
  const mine = ++lists;
  const query = new URLSearchParams(location.search);
  query.set("zone", Intl.DateTimeFormat().resolvedOptions().timeZone);
  const answer = await ask(`/v1/samples?${query}`).catch(() => null);
  const told = await answer?.json().catch(() => null);
  if (mine !== lists) return;
  if (answer?.ok && told) show(told);
  else at("#found").textContent = told?.detail ?? _("The page could not fetch the calls. Press Show to try again.");
}

function show({ from_day, to_day, agents, calls: found, reviewed }) {
  const covered = { from_day, to_day };
  at("#found").textContent = found.length ? ngettext(
    "{n} call of the time from {from_day} to {to_day}, picked by chance. Everybody gets the same.",
    "{n} calls of the time from {from_day} to {to_day}, picked by chance. Everybody gets the same.",
    found.length,
    covered,
  ) : _("No call ended from {from_day} to {to_day}. Choose other days or another agent.", covered);
  at("#sample").closest("section").hidden = !found.length;
  fillCards(at("#sample"), found.map((row) => line(row, reviewed[row.call_id] ?? [])));
  at("#agents").closest("section").hidden = !agents.length;
  fillCards(at("#agents"), agents.map(agentLine));
  const field = form.elements.agent;
  const names = agents.map(({ agent }) => agent).filter(Boolean);
  const chosen = new URLSearchParams(location.search).get("agent") ?? "";
  if (chosen && !names.includes(chosen)) names.push(chosen);
  field.replaceChildren(field.options[0], ...names.map((name) => new Option(name, name)));
  field.value = chosen;
}

function line(row, by) {
  const began = Date.parse(row.started_at);
  const made = rowOf([
    customerOf(row) || row.call_id,
    format.moment(began),
    format.duration((Date.parse(row.ended_at) - began) / 1000),
    row.metadata.agent ?? "",
    format.moodWord(row.sentiment.score),
    by.join(", "),
  ], true);
  made.dataset.callId = row.call_id;
  made.toggleAttribute("data-opened", row.call_id === panel.id);
  linked(made, `#/calls/${encodeURIComponent(row.call_id)}`);
  return made;
}

function agentLine({ agent, calls: count, reviewed, score }) {
  const made = rowOf([agent || _("not named"), String(count), String(reviewed), percent(score)], true);
  if (!agent) return made;
  const query = new URLSearchParams(location.search);
  query.set("agent", agent);
  linked(made, `?${query}`);
  return made;
}

/** Makes the name of a line a link. */
function linked(row, href) {
  const link = document.createElement("a");
  link.href = href;
  link.textContent = row.firstChild.textContent;
  row.firstChild.replaceChildren(link);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value) query.set(name, String(value));
  history.pushState(null, "", `?${query}${location.hash}`);
  list();
});
addEventListener("popstate", () => list());

function close() {
  const id = panel.id;
  panel.close();
  if (id) at(`#sample tr[data-call-id="${CSS.escape(id)}"] a`)?.focus();
}
at("#call-close").addEventListener("click", close);
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && panel.id && !at("dialog[open]")) close();
});

const given = new URLSearchParams(location.search);
for (const name of ["from", "to", "count"]) if (given.get(name)) form.elements[name].value = given.get(name);
panel.follow();
list();
