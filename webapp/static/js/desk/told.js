// What an agent's page says. Pure.

/** The lines of a call of GET /v1/desk: what was said, then what is being said. */
export function linesOf({ lines, speaking }) {
  const said = lines.filter(({ text }) => text).map(({ track, text }) => ({ track, text, open: false }));
  return [...said, ...Object.entries(speaking).map(([track, text]) => ({ track, text, open: true }))];
}

/** How it stands with the request for help. @param onIt who has taken the call  @param waited how long it has lasted */
export function waitingTold(help, onIt, waited) {
  if (help && !help.answered_at) return `You asked for help ${waited} ago. Supervisors see it${help.reason ? `: ${help.reason}` : ""}.`;
  if (onIt) return `${onIt} is on your call.`;
  return help ? `${help.answered_by} has seen it.` : "";
}
