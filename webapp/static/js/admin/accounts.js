// Accounts: make, change and remove them.

import { rowOf } from "../shared/rows.js";
import { ask, buttons, say } from "./asking.js";
import { showOnce } from "./once.js";
import { sure } from "../shared/sure.js";
import { when } from "./when.js";

const at = (selector) => document.querySelector(selector);
const me = at("#accounts").dataset.user;
const path = (name, more = "") => `/v1/accounts/${encodeURIComponent(name)}${more}`;

async function list() {
  show(await ask("GET", "/v1/accounts"));
}

function show(found) {
  if (found) at("#accounts tbody").replaceChildren(...found.accounts.map(accountRow));
}

function accountRow({ name, role, made_at }) {
  const others = ["agent", "supervisor", "admin"].filter((one) => one !== role);
  const row = rowOf([name, role, when(made_at)], true);
  /** @type {[string, string, () => any][]} */
  const doing = [["New password", `New password for ${name}`, () => renew(name)]];
  if (name !== me) {
    for (const other of others) doing.push([`Make ${other}`, `Make ${other}: ${name}`, () => change(name, other)]);
    doing.push(["Remove", `Remove ${name}`, () => remove(name)]);
  }
  row.append(buttons(...doing));
  return row;
}

async function renew(name) {
  const text = "The old password stops working at once. Open sign-ins of this account end.";
  if (!(await sure(`A new password for ${name}?`, text, "Make password"))) return;
  const made = await ask("POST", path(name, "/password"));
  if (!made) return;
  say(`${name} has a new password.`);
  showOnce(`The new password of ${name}.`, made.password);
}

async function change(name, role) {
  const text = "Open sign-ins of this account end. The person signs in again.";
  if (!(await sure(`Make ${name} ${role}?`, text, `Make ${role}`))) return;
  const found = await ask("PATCH", path(name), { role });
  show(found);
  if (found) say(`${name} is ${role} now.`);
}

async function remove(name) {
  const text = "Open sign-ins of this account end. The audit trail keeps what they did.";
  if (!(await sure(`Remove the account ${name}?`, text, "Remove"))) return;
  const found = await ask("DELETE", path(name));
  show(found);
  if (found) say(`${name} is removed.`);
}

at("#add").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { name, role } = event.target.elements;
  const made = await ask("POST", "/v1/accounts", { name: name.value, role: role.value });
  if (!made) return;
  event.target.reset();
  say(`${made.name} can sign in.`);
  showOnce(`The password of ${made.name}.`, made.password);
  await list();
});

list();
