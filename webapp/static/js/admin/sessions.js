// Who is signed in, and signing them out.

import { rowOf } from "../shared/rows.js";
import { ask, buttons, list, say } from "./asking.js";
import { sure } from "../shared/sure.js";
import { when } from "./when.js";

function show(found) {
  if (found) list("#sessions", "#none", found.sessions.map(sessionRow));
}

function sessionRow({ name, role, since, until, address, issuer, subject }) {
  const row = rowOf([name, role, when(since), when(until), address, `${issuer} ${subject}`.trim()], true);
  row.append(buttons(["Sign out", `Sign out ${name}`, () => end(name)]));
  return row;
}

async function end(name) {
  if (!(await sure(`Sign ${name} out?`, "All their sessions end at once.", "Sign out"))) return;
  if (!(await ask("DELETE", `/v1/sessions/${encodeURIComponent(name)}`))) return;
  say(`${name} is signed out.`);
  show(await ask("GET", "/v1/sessions")); // who signed themselves out goes to the sign-in
}

show(await ask("GET", "/v1/sessions"));
