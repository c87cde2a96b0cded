// Who is signed in, and signing them out.

import { rowOf } from "../shared/rows.js";
import { ask, buttons, list, say } from "./asking.js";
import { sure } from "../shared/sure.js";
import { when } from "./when.js";
import { _ } from "../shared/wording/language.js";

const ROLES = { agent: _("agent"), supervisor: _("supervisor"), admin: _("admin") };

function show(found) {
  if (found) list("#sessions", "#none", found.sessions.map(sessionRow));
}

function sessionRow({ name, role, since, until, address, issuer, subject }) {
  const row = rowOf([name, ROLES[role] ?? role, when(since), when(until), address, `${issuer} ${subject}`.trim()], true);
  row.append(buttons([_("Sign out"), _("Sign out {name}", { name }), () => end(name)]));
  return row;
}

async function end(name) {
  if (!(await sure(_("Sign {name} out?", { name }), _("All their sessions end at once."), _("Sign out")))) return;
  if (!(await ask("DELETE", `/v1/sessions/${encodeURIComponent(name)}`))) return;
  say(_("{name} is signed out.", { name }));
  show(await ask("GET", "/v1/sessions")); // a person who signed themselves out goes to the sign-in
}

show(await ask("GET", "/v1/sessions"));
