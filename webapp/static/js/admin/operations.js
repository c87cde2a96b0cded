// The fleet at a glance, every few seconds.

import { pairOf, rowOf } from "../shared/rows.js";
import { MISSING, tenths } from "../shared/wording/format.js";
import { ask, list } from "./asking.js";
import { _ } from "../shared/wording/language.js";
import { inWords } from "../shared/wording/told.js";

const EVERY_MS = 2_000;

const at = (selector) => document.querySelector(selector);
const seconds = (value) => _("{n} s", { n: tenths(value) });
const percent = (ratio) => (ratio === null ? MISSING : `${Math.round(100 * ratio)} %`);
const known = (value) => value ?? MISSING;
let shown = "";

async function look() {
  const now = await ask("GET", "/v1/operations");
  if (!now) return;
  at("#fault").textContent = "";
  showAlerts(now.alerts);
  const facts = {
    [_("live calls")]: now.calls_live,
    [_("decode loops")]: now.decoders,
    [_("decode loops busy")]: percent(now.busy),
    [_("audio that waits")]: seconds(now.backlog_seconds),
    [_("tracks that wait for a loop")]: now.tokens_waiting,
    [_("utterances to score")]: now.finals_waiting,
    [_("chunks and utterances given up")]: now.dead,
    [_("store's memory used")]: percent(now.memory_ratio),
    [_("jobs waiting")]: known(now.jobs_queued),
    [_("jobs failed in a day")]: known(now.jobs_failed),
    [_("database")]: inWords(now.database),
    [_("calls not in the database yet")]: now.calls_unarchived,
    [_("webhooks waiting")]: known(now.webhooks_waiting),
    [_("webhooks failed")]: known(now.webhooks_failed),
  };
  at("#facts").replaceChildren(...Object.entries(facts).map(([name, value]) => pairOf(name, value)));
  list("#shards", "#nothing", now.shards.map(shardRow));
  list("#processes", "#unknown", (now.processes ?? []).map(processRow));
}

/** Draws the alerts only if they changed, so that a link keeps its focus and nothing is read out again. */
function showAlerts(alerts) {
  const found = JSON.stringify(alerts);
  if (found === shown) return;
  shown = found;
  at("#quiet").hidden = alerts.length > 0;
  at("#alerts").replaceChildren(...alerts.map(alertItem));
}

function alertItem({ name, wakes, value }) {
  const item = document.createElement("li");
  const [link, told] = [document.createElement("a"), document.createElement("span")];
  [link.href, link.textContent, told.textContent] = [`#${name}`, name, `: ${value}`];
  link.lang = told.lang = "en"; // as Prometheus and the runbook say it
  link.addEventListener("click", () => at(`#${name}`).setAttribute("open", ""));
  item.classList.toggle("wakes", wakes);
  item.append(link, told, wakes ? _(" · wakes somebody") : "");
  return item;
}

function shardRow(shard) {
  const told = shard.up
    ? [shard.calls_live, seconds(shard.lag_seconds), shard.tokens_waiting, shard.finals_waiting]
    : [MISSING, MISSING, MISSING, MISSING];
  const row = rowOf([shard.number, shard.up ? _("up") : _("away"), ...told].map(String), true);
  row.classList.toggle("away", !shard.up);
  return row;
}

const processRow = ({ type, version, count, connections }) =>
  rowOf([type, version, String(count), String(connections)], true);

look();
setInterval(look, EVERY_MS);
