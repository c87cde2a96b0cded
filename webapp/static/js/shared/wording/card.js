// A raised call in one sentence, for the bell, a notification and the list after an absence. Pure.

import { duration } from "./format.js";
import { helpInWords, inWords, wantsHelp } from "./handling.js";
import { findings } from "./reasons.js";

/** Why a call needs somebody, since when, who is on it, and what it is about. @param row of the table  @param me the viewer's name */
export function sentence(row, me) {
  const help = wantsHelp(row);
  const why = help ? helpInWords(row.handling) : findings(row, true)[0]?.text ?? "Needs attention";
  const since = help || row.raised_at === null ? "" : `since ${duration(row.raised_at)}`;
  const told = [why, since, inWords(row, me) || "nobody is on it"].filter(Boolean).join(", ");
  return row.about ? `${told} · calls about: “${row.about}”` : told;
}
