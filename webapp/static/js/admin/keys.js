// API keys: make and revoke them.

import { rowOf } from "../shared/rows.js";
import { ask, buttons, list, say } from "./asking.js";
import { showOnce } from "./once.js";
import { sure } from "../shared/sure.js";
import { when } from "./when.js";
import { _ } from "../shared/wording/language.js";

const at = (selector) => document.querySelector(selector);
const MAY = { ingest: _("post calls"), read: _("read calls") };

async function look() {
  show(await ask("GET", "/v1/keys"));
}

function show(found) {
  if (found) list("#keys", "#none", found.keys.map(keyRow));
}

function keyRow({ name, shown, scopes, agent, made_at, used_at }) {
  const may = agent ? _("own calls of {agent}", { agent }) : scopes.map((scope) => MAY[scope]).join(", ");
  const row = rowOf([name, shown && `${shown}…`, may, made_at ? when(made_at) : _("in API_KEYS"), when(used_at)], true);
  row.append(made_at ? buttons([_("Revoke"), _("Revoke {name}", { name }), () => revoke(name)]) : document.createElement("td"));
  return row;
}

async function revoke(name) {
  if (!(await sure(_("Revoke the key {name}?", { name }), _("It stops working at once. Earshot refuses programs that still use it."), _("Revoke")))) return;
  const found = await ask("DELETE", `/v1/keys/${encodeURIComponent(name)}`);
  show(found);
  if (found) say(_("{name} is revoked.", { name }));
}

at("#link").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { name, agent } = event.target.elements;
  const made = await ask("POST", "/v1/keys", { name: name.value, scopes: ["agent"], agent: agent.value });
  if (!made) return;
  say(_("{name} has a link.", { name: agent.value }));
  event.target.reset();
  showOnce(_("The link of {name}; its part after # is the key for a softphone.", { name: made.name }), `${location.origin}/enter#${made.key}`);
  await look();
});

at("#add").addEventListener("submit", async (event) => {
  event.preventDefault();
  const given = event.target.elements;
  const scopes = Object.keys(MAY).filter((scope) => given[scope].checked);
  if (!scopes.length) return say("", _("Choose what the key may do."));
  const made = await ask("POST", "/v1/keys", { name: given.name.value, scopes });
  if (!made) return;
  event.target.reset();
  say(_("{name} is made.", { name: made.name }));
  showOnce(_("The key {name}.", { name: made.name }), made.key);
  await look();
});

look();
