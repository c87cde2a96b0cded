// Erasing a call or all calls of a customer: what will go, legal holds, and the proof afterwards.

import { stateWord } from "../shared/wording/format.js";
import { customerOf } from "../shared/live/store.js";
import { fillCards, rowOf } from "../shared/rows.js";
import { ask, buttons, list, say } from "./asking.js";
import { sure } from "../shared/sure.js";
import { when } from "./when.js";
import { _, ngettext } from "../shared/wording/language.js";

const PAGE = 500; // calls, and entries of the trail, that one answer has at most

const at = (selector) => document.querySelector(selector);
const within = (path, parameters) => `${path}?${new URLSearchParams(parameters)}`;
const KINDS = { customer: _("customer"), call: _("call") };
let looked = { kind: "", name: "" };
let ids = [];
let holds = [];

/** All calls to erase; null after a refusal. */
async function calls({ kind, name }) {
  if (kind === "call") {
    const call = await ask("GET", `/v1/calls/${encodeURIComponent(name)}`);
    return call && [call];
  }
  const found = [];
  let cursor = null;
  do {
    const asked = { state: "any", sort: "time", limit: PAGE, customer: name, ...(cursor && { cursor }) };
    const page = await ask("GET", within("/v1/calls", asked));
    if (!page) return null;
    found.push(...page.calls);
    cursor = page.next_cursor;
  } while (cursor);
  return found;
}

async function look(given) {
  looked = given;
  at("#proof").hidden = true;
  at("#found").hidden = true;
  say("");
  const found = await calls(looked);
  if (found) show(found);
}

function show(found) {
  ids = found.map((call) => call.call_id);
  const live = found.filter((call) => call.state !== "ended").map((call) => call.call_id);
  const held = holds.find((hold) => found.some((call) => forbids(hold, call)));
  at("#found-title").textContent = looked.kind === "customer"
    ? ngettext("{n} call of {name} will go", "{n} calls of {name} will go", found.length, looked)
    : ngettext("{n} call will go", "{n} calls will go", found.length);
  at("#why").textContent = held
    ? _("A legal hold on {kind} {name} forbids it: {reason}", { ...held, kind: KINDS[held.kind] })
    : live.length
      ? _("End these calls first: {calls}", { calls: live.join(", ") })
      : "";
  at("#erase").disabled = Boolean(held) || live.length > 0 || !found.length;
  at("#erase").textContent = ngettext("Erase {n} call", "Erase {n} calls", found.length);
  fillCards(
    at("#calls"),
    found.map((call) => {
      const { call_id, started_at, state, metadata } = call;
      return rowOf([call_id, when(started_at), stateWord(state), metadata.agent || "", metadata.queue || "", customerOf(call)], true);
    }),
  );
  at("#found").hidden = false;
  at("#found-title").focus();
}

const forbids = (hold, call) => hold.name === (hold.kind === "call" ? call.call_id : customerOf(call));

async function erase() {
  const { kind, name } = looked;
  const text = _("Nobody can bring them back.");
  if (!(await sure(ngettext("Erase {n} call for good?", "Erase {n} calls for good?", ids.length), text, _("Erase")))) return;
  const path = kind === "call" ? `/v1/calls/${encodeURIComponent(name)}` : within("/v1/calls", { customer: name });
  const asked = new Set(ids);
  const done = await ask("DELETE", path);
  at("#found").hidden = true;
  if (done) say(ngettext("{n} call erased.", "{n} calls erased.", done.calls.length));
  await prove(asked);
}

/** Shows the trail's newest entries about these calls. Also after a refusal: some calls may be gone by then. */
async function prove(asked) {
  const trail = await ask("GET", within("/v1/audit", { part: "security", what: "erased", limit: PAGE }));
  if (!trail) return;
  const ours = trail.entries.filter((deed) => asked.has(deed.about.split(" ")[0]));
  fillCards(
    at("#entries"),
    ours.map((deed) => rowOf([when(deed.at), deed.who, deed.what, deed.about, deed.address], true)),
  );
  at("#proof").hidden = !ours.length;
  at("#proof-title").focus();
}

function showHolds(found) {
  if (!found) return;
  holds = found.holds;
  list("#holds", "#none", holds.map(holdRow));
}

function holdRow({ kind, name, reason, by, since }) {
  const row = rowOf([KINDS[kind], name, reason, by, when(since)], true);
  row.append(buttons([_("Take back"), _("Take back: hold on {kind} {name}", { kind: KINDS[kind], name }), () => release(kind, name)]));
  return row;
}

async function release(kind, name) {
  const text = _("Then admins may erase it again, and so does its age.");
  if (!(await sure(_("Take the hold on {kind} {name} back?", { kind: KINDS[kind], name }), text, _("Take back")))) return;
  showHolds(await ask("DELETE", within("/v1/holds", { kind, name })));
  if (!at("#found").hidden) look(looked);
}

at("#look").addEventListener("submit", (event) => {
  event.preventDefault();
  const { kind, name } = event.target.elements;
  look({ kind: kind.value, name: name.value });
});
at("#erase").addEventListener("click", erase);
at("#hold").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { reason } = event.target.elements;
  if (!(await ask("PUT", "/v1/holds", { ...looked, reason: reason.value }))) return;
  event.target.reset();
  showHolds(await ask("GET", "/v1/holds"));
  await look(looked);
  say(_("The hold is set."));
});

showHolds(await ask("GET", "/v1/holds"));
