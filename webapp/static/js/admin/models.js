// The versions of the attention model: the source of each, and a button that applies its weights again.

import { moment } from "../shared/wording/format.js";
import { rowOf } from "../shared/rows.js";
import { ask, buttons, list, say } from "./asking.js";
import { lookedAt, versionCells } from "./lessons.js";

const at = (selector) => document.querySelector(selector);
const SHIPPED = ["0", "–", "shipped", "–", "–", "–", "–"];

function show({ version, versions, looked_at, lessons }) {
  at("#version").textContent = version ? `Version ${version} applies to calls that begin.` : "The shipped weights apply.";
  at("#looked").textContent = lookedAt(looked_at && moment(Date.parse(looked_at)), lessons);
  const rows = versions.map((one) =>
    rowFor(versionCells(one, moment(Date.parse(one.made_at))), one.version, one.version === version),
  );
  if (versions.length) rows.push(rowFor(SHIPPED, 0, false));
  list("#versions", "#none", rows);
}

function rowFor(cells, version, applies) {
  const row = rowOf(cells, true);
  const label = version ? `Use again: the weights of version ${version}` : "Use again: the shipped weights";
  row.append(applies ? rowOf(["applies"]).firstChild : buttons(["Use again", label, () => take(version)]));
  return row;
}

async function take(version) {
  const told = await ask("PUT", "/v1/models/current", { version });
  if (!told) return;
  show(told);
  say("New calls use these weights from now on.");
  at("#versions-title").focus(); // the button that had the focus is gone
}

const told = await ask("GET", "/v1/models");
if (told) show(told);
