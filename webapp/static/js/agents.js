// The agents' figures, read once and sorted by any column. The address keeps the order.

import { fillCards, pairOf } from "./shared/rows.js";
import { AGENT_COLUMNS, agentCells, sortAgents } from "./shared/wording/figures.js";
import { _, ngettext } from "./shared/wording/language.js";

const at = (selector) => document.querySelector(selector);
let agents = [];

/** The column to sort by, and whether the highest comes first. By default: names from A. */
function order() {
  const given = new URLSearchParams(location.search).get("sort") ?? "";
  const key = given.replace(/^-/, "");
  return AGENT_COLUMNS.some((column) => column.key === key) ? { key, descending: given.startsWith("-") } : { key: "agent", descending: false };
}

function sortBy(key) {
  const now = order();
  const descending = now.key === key ? !now.descending : key !== "agent";
  history.replaceState(null, "", `?sort=${descending ? "-" : ""}${key}`);
  draw();
}

function head({ key, name, about }) {
  const cell = document.createElement("th");
  cell.scope = "col";
  cell.title = about;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = name;
  button.addEventListener("click", () => sortBy(key));
  cell.append(button);
  return cell;
}

function line(agent) {
  const row = document.createElement("tr");
  agentCells(agent).forEach((text, n) => {
    const cell = document.createElement(n ? "td" : "th");
    if (n || !agent.agent) cell.textContent = text;
    else cell.append(link(agent.agent));
    row.append(cell);
  });
  return row;
}

/** An agent's name leads to the agent's calls. */
function link(name) {
  const made = document.createElement("a");
  made.href = `/history?${new URLSearchParams({ agent: name })}`;
  made.textContent = name;
  return made;
}

function draw() {
  const { key, descending } = order();
  const heads = at("#agents thead tr").children;
  AGENT_COLUMNS.forEach((column, n) => {
    heads[n].ariaSort = column.key === key ? (descending ? "descending" : "ascending") : null;
  });
  fillCards(at("#agents"), sortAgents(agents, key, descending).map(line));
}

at("#agents thead tr").replaceChildren(...AGENT_COLUMNS.map(head));
at("#figures").append(...AGENT_COLUMNS.map(({ name, about }) => pairOf(name, about)));
try {
  const answer = await fetch("/v1/agents", { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  const told = await answer.json();
  agents = told.agents;
  at("#said").textContent = told.calls ? ngettext("{n} call. A name leads to the agent's calls.", "{n} calls. A name leads to the agent's calls.", told.calls) : _("No ended call has a summary yet. The figures come with the first one.");
  at("#agents").hidden = !told.calls;
  draw();
} catch {
  at("#said").textContent = _("The page could not fetch the figures. Reload to try again.");
}
