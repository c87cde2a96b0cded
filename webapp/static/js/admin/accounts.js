// Accounts: make, change and remove them.

import { fillCards, rowOf } from "../shared/rows.js";
import { ask, buttons, say } from "./asking.js";
import { showOnce } from "./once.js";
import { sure } from "../shared/sure.js";
import { when } from "./when.js";
import { _ } from "../shared/wording/language.js";

const at = (selector) => document.querySelector(selector);
const me = at("#accounts").dataset.user;
const path = (name, more = "") => `/v1/accounts/${encodeURIComponent(name)}${more}`;

const ROLES = { agent: _("agent"), supervisor: _("supervisor"), admin: _("admin") };

async function list() {
  show(await ask("GET", "/v1/accounts"));
}

function show(found) {
  if (found) fillCards(at("#accounts"), found.accounts.map(accountRow));
}

function accountRow({ name, role, made_at }) {
  const others = ["agent", "supervisor", "admin"].filter((one) => one !== role);
  const row = rowOf([name, ROLES[role], when(made_at)], true);
  /** @type {[string, string, () => any][]} */
  const doing = [[_("New password"), _("New password for {name}", { name }), () => renew(name)]];
  if (name !== me) {
    for (const other of others) doing.push([_("Make {role}", { role: ROLES[other] }), _("Make {role}: {name}", { role: ROLES[other], name }), () => change(name, other)]);
    doing.push([_("Remove"), _("Remove {name}", { name }), () => remove(name)]);
  }
  row.append(buttons(...doing));
  return row;
}

async function renew(name) {
  const text = _("The old password stops working at once. Open sign-ins of this account end.");
  if (!(await sure(_("A new password for {name}?", { name }), text, _("Make password")))) return;
  const made = await ask("POST", path(name, "/password"));
  if (!made) return;
  say(_("{name} has a new password.", { name }));
  showOnce(_("The new password of {name}.", { name }), made.password);
}

async function change(name, role) {
  const text = _("Open sign-ins of this account end. The person signs in again.");
  if (!(await sure(_("Make {name} {role}?", { name, role: ROLES[role] }), text, _("Make {role}", { role: ROLES[role] })))) return;
  const found = await ask("PATCH", path(name), { role });
  show(found);
  if (found) say(_("{name} is {role} now.", { name, role: ROLES[role] }));
}

async function remove(name) {
  const text = _("Open sign-ins of this account end. The audit trail keeps what they did.");
  if (!(await sure(_("Remove the account {name}?", { name }), text, _("Remove")))) return;
  const found = await ask("DELETE", path(name));
  show(found);
  if (found) say(_("{name} is removed.", { name }));
}

at("#add").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { name, role } = event.target.elements;
  const made = await ask("POST", "/v1/accounts", { name: name.value, role: role.value });
  if (!made) return;
  event.target.reset();
  say(_("{name} can sign in.", { name: made.name }));
  showOnce(_("The password of {name}.", { name: made.name }), made.password);
  await list();
});

list();
