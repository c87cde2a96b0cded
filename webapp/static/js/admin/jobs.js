// The background jobs, every few seconds.

import { pairOf, rowOf } from "../shared/rows.js";
import { clock, moment, MISSING } from "../shared/wording/format.js";
import { ask, buttons, list, say } from "./asking.js";
import { _ } from "../shared/wording/language.js";

const EVERY_MS = 5_000;

const NAMES = {
  summarise: _("Write a call's summary"),
  archive: _("Write a call to the database"),
  assemble: _("Make a recording"),
  "forget-words": _("Erase old words"),
  "forget-sound": _("Erase old recordings"),
  "keep-trail": _("Move the audit trail to the database"),
  "weekly-report": _("Mail the weekly report"),
  learn: _("Learn from judgements"),
  redrive: _("Decode a chunk once more"),
};

const NOBODY = _("No sentiment process runs. So nothing asks for jobs, and this page knows nothing of them.");

const at = (selector) => document.querySelector(selector);
const named = (task) => NAMES[task] ?? (task || _("None of Earshot's jobs"));
let shown = "";

async function look() {
  const jobs = await ask("GET", "/v1/jobs");
  if (!jobs) return;
  const fault = jobs.at ? "" : NOBODY;
  if (at("#fault").textContent !== fault) at("#fault").textContent = fault;
  const facts = {
    [_("jobs processes")]: jobs.workers,
    [_("waiting")]: jobs.queued,
    [_("running")]: jobs.running,
    [_("calls without a summary")]: jobs.outstanding.summarise ?? MISSING,
    [_("calls not in the database yet")]: jobs.outstanding.archive ?? MISSING,
    [_("next look for old words")]: jobs.due["forget-words"] ? clock(Date.parse(jobs.due["forget-words"])) : MISSING,
  };
  at("#facts").replaceChildren(...Object.entries(facts).map(([name, value]) => pairOf(name, value)));
  const now = JSON.stringify(jobs.failed);
  if (now === shown) return; // a button keeps its focus
  shown = now;
  list("#failed", "#none", jobs.failed.map(rowFor));
}

function rowFor(job) {
  const row = rowOf([named(job.task), job.argument || MISSING, moment(Date.parse(job.failed_at)), job.reason || _("unknown")], true);
  row.append(job.task ? buttons([_("Try again"), _("Try again: {job} {of}", { job: named(job.task), of: job.argument }), () => retry(job)]) : document.createElement("td"));
  return row;
}

async function retry(job) {
  if (!(await ask("POST", `/v1/jobs/${job.id}/retry`))) return;
  say(_("{job} {of}: will be tried again. It leaves the list within seconds.", { job: named(job.task), of: job.argument }));
  at("#failed-title").focus();
}

look();
setInterval(look, EVERY_MS);
