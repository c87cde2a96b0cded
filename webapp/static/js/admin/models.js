// The versions of the attention model: the source of each, and a button that applies its weights again.

import { moment } from "../shared/wording/format.js";
import { rowOf } from "../shared/rows.js";
import { ask, buttons, list, say } from "./asking.js";
import { lookedAt, versionCells } from "./lessons.js";
import { _ } from "../shared/wording/language.js";

const at = (selector) => document.querySelector(selector);
const SHIPPED = ["0", "–", _("shipped"), "–", "–", "–", "–"];

function show({ version, versions, looked_at, lessons }) {
  at("#version").textContent = version ? _("Version {version} applies to calls that begin.", { version }) : _("The shipped weights apply.");
  at("#looked").textContent = lookedAt(looked_at && moment(Date.parse(looked_at)), lessons);
  const rows = versions.map((one) =>
    rowFor(versionCells(one, moment(Date.parse(one.made_at))), one.version, one.version === version),
  );
  if (versions.length) rows.push(rowFor(SHIPPED, 0, false));
  list("#versions", "#none", rows);
}

function rowFor(cells, version, applies) {
  const row = rowOf(cells, true);
  const label = version ? _("Use again: the weights of version {version}", { version }) : _("Use again: the shipped weights");
  row.append(applies ? rowOf([_("applies")]).firstChild : buttons([_("Use again"), label, () => take(version)]));
  return row;
}

async function take(version) {
  const told = await ask("PUT", "/v1/models/current", { version });
  if (!told) return;
  show(told);
  say(_("New calls use these weights from now on."));
  at("#versions-title").focus(); // the button that had the focus is gone
}

const told = await ask("GET", "/v1/models");
if (told) show(told);
