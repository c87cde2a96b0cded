// The agents' figures, once.

import { agentCells } from "./shared/figures.js";
import { rowOf } from "./table/rows.js";

const at = (selector) => document.querySelector(selector);

try {
  const answer = await fetch("/v1/agents", { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  const { agents, calls } = await answer.json();
  at("#said").textContent = calls ? `${calls} calls` : "No ended call has a summary yet.";
  at("#agents").hidden = !calls;
  at("#agents tbody").replaceChildren(...agents.map((agent) => rowOf(agentCells(agent), true)));
} catch {
  at("#said").textContent = "The page could not fetch the figures. Reload to try again.";
}
