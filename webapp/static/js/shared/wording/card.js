// A raised call in one sentence, for the bell, a notification and the list after an absence. Pure.

import { duration } from "./format.js";
import { helpInWords, handlingInWords, wantsHelp } from "./handling.js";
import { findings } from "./reasons.js";
import { _ } from "./language.js";
import { inWords } from "./told.js";

/** Why a call needs somebody, since when, who is on it, and what it is about. @param row of the table  @param me the viewer's name */
export function sentence(row, me) {
  const help = wantsHelp(row);
  const why = help ? helpInWords(row.handling) : inWords(findings(row, true)[0]?.text ?? "Needs attention");
  const since = help || row.raised_at === null ? "" : _("since {time}", { time: duration(row.raised_at) });
  const told = [why, since, handlingInWords(row, me) || _("nobody is on it")].filter(Boolean).join(", ");
  return row.about ? _("{told} · calls about: “{about}”", { told, about: row.about }) : told;
}
