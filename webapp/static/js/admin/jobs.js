// The background jobs, every few seconds.

import { pairOf, rowOf } from "../shared/rows.js";
import { clock, moment, MISSING } from "../shared/wording/format.js";
import { ask, buttons, list, say } from "./asking.js";

const EVERY_MS = 5_000;

const NAMES = {
  summarise: "Write a call's summary",
  archive: "Write a call to the database",
  assemble: "Make a recording",
  "forget-words": "Erase old words",
  "forget-sound": "Erase old recordings",
  "keep-trail": "Move the audit trail to the database",
  "weekly-report": "Mail the weekly report",
  learn: "Learn from judgements",
  redrive: "Decode a chunk once more",
};

const NOBODY = "No sentiment process runs. So nothing asks for jobs, and this page knows nothing of them.";

const at = (selector) => document.querySelector(selector);
const named = (task) => NAMES[task] ?? (task || "None of Earshot's jobs");
let shown = "";

async function look() {
  const jobs = await ask("GET", "/v1/jobs");
  if (!jobs) return;
  const fault = jobs.at ? "" : NOBODY;
  if (at("#fault").textContent !== fault) at("#fault").textContent = fault;
  const facts = {
    "jobs processes": jobs.workers,
    waiting: jobs.queued,
    running: jobs.running,
    "calls without a summary": jobs.outstanding.summarise ?? MISSING,
    "calls not in the database yet": jobs.outstanding.archive ?? MISSING,
    "next look for old words": jobs.due["forget-words"] ? clock(Date.parse(jobs.due["forget-words"])) : MISSING,
  };
  at("#facts").replaceChildren(...Object.entries(facts).map(([name, value]) => pairOf(name, value)));
  const now = JSON.stringify(jobs.failed);
  if (now === shown) return; // a button keeps its focus
  shown = now;
  list("#failed", "#none", jobs.failed.map(rowFor));
}

function rowFor(job) {
  const row = rowOf([named(job.task), job.argument || MISSING, moment(Date.parse(job.failed_at)), job.reason || "unknown"], true);
  row.append(job.task ? buttons(["Try again", `Try again: ${named(job.task)} ${job.argument}`, () => retry(job)]) : document.createElement("td"));
  return row;
}

async function retry(job) {
  if (!(await ask("POST", `/v1/jobs/${job.id}/retry`))) return;
  say(`${named(job.task)} ${job.argument}: will be tried again. It leaves the list within seconds.`);
  at("#failed-title").focus();
}

look();
setInterval(look, EVERY_MS);
