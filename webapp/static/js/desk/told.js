// The texts of an agent's page. Pure.

import { _ } from "../shared/wording/language.js";
import { inWords } from "../shared/wording/told.js";

/** The lines of a call of GET /v1/desk: finished ones, then those being spoken. */
export function linesOf({ lines, speaking }) {
  const said = lines.filter(({ text }) => text).map(({ track, text }) => ({ track, text, open: false }));
  return [...said, ...Object.entries(speaking).map(([track, text]) => ({ track, text, open: true }))];
}

/** How it stands with the request for help. @param onIt who has taken the call  @param waited how long it has lasted */
export function waitingTold(help, onIt, waited) {
  if (help && !help.answered_at) {
    const reason = inWords(help.reason ?? "");
    if (reason) return _("You asked for help {waited} ago. Supervisors see it: {reason}.", { waited, reason });
    return _("You asked for help {waited} ago. Supervisors see it.", { waited });
  }
  if (onIt) return _("{onIt} is on your call.", { onIt });
  return help ? _("{answered_by} has seen it.", { answered_by: help.answered_by }) : "";
}
