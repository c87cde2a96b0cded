// The webhooks and their deliveries.

import { rowOf } from "../shared/rows.js";
import { MISSING } from "../shared/wording/format.js";
import { ask, buttons, list, say } from "./asking.js";
import { sure } from "../shared/sure.js";
import { when } from "./when.js";
import { _ } from "../shared/wording/language.js";

const EVERY_MS = 5_000;

const at = (selector) => document.querySelector(selector);
const path = (name, rest = "") => `/v1/webhooks/${encodeURIComponent(name)}${rest}`;
const STATES = { waiting: _("waiting"), delivered: _("delivered"), failed: _("failed") };
let shownWho = "";
let shownLog = "";
let pages = 1;

/** Lists rows only if they changed, so that a button keeps its focus. Returns what is shown. */
function draw(table, empty, found, before, rowFor) {
  const now = JSON.stringify(found);
  if (now !== before) list(table, empty, found.map(rowFor));
  return now;
}

function showWho({ webhooks }) {
  shownWho = draw("#webhooks", "#nobody", webhooks, shownWho, whoRow);
  const choice = at("#only [name=webhook]");
  const names = webhooks.map((one) => one.name);
  const known = [...choice.options].slice(1).map((option) => option.value);
  if (names.join() === known.join()) return;
  const chosen = choice.value;
  choice.replaceChildren(choice.options[0], ...names.map((name) => new Option(name, name)));
  choice.value = names.includes(chosen) ? chosen : "";
}

function whoRow(one) {
  const told = one.events.join(", ") || _("only what rules send it");
  const state = one.gone_at ? _("off since {time}: {why}", { time: when(one.gone_at), why: one.gone_why }) : _("on");
  const row = rowOf([one.name, one.url, told, String(one.waiting), String(one.failed), state], true);
  const can = one.form === "kafka" ? [] : [[_("Remove"), _("Remove {name}", { name: one.name }), () => remove(one.name)]];
  if (one.gone_at) can.unshift([_("Switch on"), _("Switch on {name}", { name: one.name }), () => act("POST", path(one.name, "/enable"), _("{name} is on.", { name: one.name }))]);
  row.append(buttons(...can));
  return row;
}

async function act(method, where, done) {
  const told = await ask(method, where);
  if (!told) return;
  say(done);
  showWho(told);
  at("#who-title").focus();
}

async function remove(name) {
  const text = _("Its log goes, too. Messages that still wait are never sent.");
  if (await sure(_("Remove the webhook {name}?", { name }), text, _("Remove"))) act("DELETE", path(name), _("{name} is removed.", { name }));
}

function logRow(one) {
  const answer = one.error || (one.status ? String(one.status) : MISSING);
  const state = one.due_at ? _("waiting until {time}", { time: when(one.due_at) }) : STATES[one.state] ?? one.state;
  const row = rowOf([one.type, when(one.at), one.call_id, one.webhook, state, String(one.tries), answer], true);
  row.append(buttons([_("Deliver again"), _("Deliver again: {type} of {call_id} to {webhook}", { type: one.type, call_id: one.call_id, webhook: one.webhook }), () => redeliver(one)]));
  return row;
}

async function redeliver(one) {
  if (!(await ask("POST", path(one.webhook, `/deliveries/${one.message_id}/redeliver`)))) return;
  say(_("Delivering {type} of {call_id} to {webhook} again.", { type: one.type, call_id: one.call_id, webhook: one.webhook }));
  at("#log-title").focus();
}

async function look() {
  const who = await ask("GET", "/v1/webhooks");
  if (!who) return;
  showWho(who);
  const form = /** @type {HTMLFormElement} */ (at("#only"));
  const wanted = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value) wanted.set(name, String(value));
  const found = [];
  let more = null;
  for (let page = 0; page < pages; page++) {
    if (more) wanted.set("cursor", more);
    const told = await ask("GET", `/v1/deliveries?${wanted}`);
    if (!told) return;
    found.push(...told.deliveries);
    more = told.next_cursor;
    if (!more) break;
  }
  shownLog = draw("#deliveries", "#nothing", found, shownLog, logRow);
  at("#more").hidden = !more;
}

at("#add").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.target);
  const given = new FormData(form);
  const name = String(given.get("name"));
  const body = { url: given.get("url"), form: given.get("form"), events: given.getAll("events"), ...(name && { name }) };
  const made = await ask("POST", "/v1/webhooks", body);
  if (!made) return;
  form.reset();
  say(_("Earshot tells {name} what happens from now on.", { name: made.name }));
  at("#secret code").textContent = made.secret;
  at("#secret").hidden = false;
  at("#secret").focus();
  look();
});
at("#only").addEventListener("change", () => {
  pages = 1;
  look();
});
at("#more").addEventListener("click", () => {
  pages += 1;
  look();
});
look();
setInterval(look, EVERY_MS);
