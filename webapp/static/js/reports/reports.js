// The page of reports: the figures that the address asks for, as plots and tables.

import { headOf, pairOf, rowOf } from "../shared/rows.js";
import { asked, cells, COLUMNS, COMPARED, HELPER_COLUMNS, inWords, onOneScale, PLOTS } from "./figures.js";
import { plot } from "./plot.js";
import { _, ngettext } from "../shared/wording/language.js";

const at = (selector) => document.querySelector(selector);
const form = at("#asked");
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
let looks = 0;
let compared = [];

async function look() {
  const look = ++looks;
  const query = asked(new URLSearchParams(location.search), zone);
  for (const link of document.querySelectorAll("a[data-file]")) {
    link.setAttribute("href", `/v1/reports.csv?${query}&by=${link.getAttribute("data-file")}`);
  }
  try {
    const answer = await fetch(`/v1/reports?${query}`, { headers: { Accept: "application/json" } });
    const told = await answer.json();
    if (look !== looks) return;
    at("#report").hidden = !answer.ok || !told.whole.calls;
    if (answer.ok) {
      show(told);
      compare();
    }
    else at("#said").textContent = told.errors?.map(({ pointer, parameter, detail }) => `${parameter ?? pointer ?? ""} ${detail}`.trim()).join("; ") || told.detail || told.title;
  } catch {
    if (look === looks) at("#said").textContent = _("The page could not fetch the figures. Press Show to try again.");
  }
}

function show(report) {
  const { from_day, to_day, whole, days } = report;
  const covered = { from_day, to_day, zone: report.zone };
  at("#said").textContent = whole.calls ? ngettext(
    "{n} call from {from_day} to {to_day}. Days and times: {zone}.",
    "{n} calls from {from_day} to {to_day}. Days and times: {zone}.",
    whole.calls,
    covered,
  ) : _("No call ended from {from_day} to {to_day}. Choose other days, or another queue or agent. Days and times: {zone}.", covered);
  const [, ...figures] = cells(whole);
  at("#whole").replaceChildren(...COLUMNS.map(([label], n) => pairOf(label, figures[n])));
  at("#plots").replaceChildren(...PLOTS.map((one) => plot(one, days, inWords(one, days))));
  fillTable("days", _("Day"), days.toReversed()); // the newest are looked for
  fillTable("queues", _("Queue"), report.queues);
  fillTable("agents", _("Agent"), report.agents);
  at("#helpers").hidden = !report.helpers.length;
  fillTable("helpers", _("Who"), report.helpers, HELPER_COLUMNS);
}

function fillTable(name, title, rows, columns = COLUMNS) {
  const table = at(`[data-table=${name}]`);
  table.tHead.replaceChildren(headOf([title, ...columns.map(([label]) => label)]));
  table.tBodies[0].replaceChildren(...rows.map((row) => rowOf(cells(row, columns), true)));
}

/** Agents or queues beside each other. */
async function compare() {
  const query = asked(new URLSearchParams(location.search), zone);
  const answer = await fetch(`/v1/reports/over-time?${query}&by=${at("#compare-by").value}`).catch(() => null);
  compared = answer?.ok ? (await answer.json()).compared : [];
  drawCompared();
}

function drawCompared() {
  const figure = COMPARED[Number(at("#compare-figure").value)];
  const plots = onOneScale(figure, compared).map(({ plot: one, periods }) => plot(one, periods, inWords(one, periods)));
  at("#compared").replaceChildren(...(plots.length ? plots : [_("No call has ended in this time.")]));
}

function fill() {
  const given = new URLSearchParams(location.search);
  for (const field of form.elements) if (field.name) field.value = given.get(field.name) ?? (field.name === "zone" ? zone : "");
}

function ask() {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value) query.set(name, String(value));
  history.pushState(null, "", `?${query}`);
  fill();
  look();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
form.addEventListener("reset", () => setTimeout(ask));
addEventListener("popstate", () => {
  fill();
  look();
});
at("#compare-figure").append(...COMPARED.map(({ title }, n) => new Option(title, String(n))));
at("#compare-by").addEventListener("change", compare);
at("#compare-figure").addEventListener("change", drawCompared);
at("#print").addEventListener("click", () => print());

fill();
look();
