// The questions about a call, and the judgements so far. Pure.

/** Kind of the alert for a raised call. It also stands for the call itself, raised or not. */
const RAISED = "needs_attention";

/** Why an alert was not needed. */
export const WHYS = {
  "": "No reason given",
  misheard: "The words were misheard",
  friendly: "They were meant otherwise",
  ordinary: "Such calls are usual here",
  solved: "The agent had it in hand",
  other: "Something else",
};

/** The call itself, then each kind of its alerts: the text, and the judgement (null: none yet). */
export function questions({ alerts, raised, handling }) {
  const kinds = [RAISED, ...new Set(alerts.map(({ kind }) => kind).filter((kind) => kind !== RAISED))];
  return kinds.map((kind) => ({
    alert: kind,
    text: kind === RAISED ? ofTheCall(alerts, raised) : alerts.findLast((alert) => alert.kind === kind).reason || kind,
    judged: (handling.judged ?? []).find(({ alert }) => alert === kind) ?? null,
  }));
}

function ofTheCall(alerts, raised) {
  const told = alerts.findLast(({ kind }) => kind === RAISED);
  if (told?.reason) return `Needed a look: ${told.reason}`;
  return raised || told ? "Needed a look" : "Not raised: did it need a look?";
}

/** The judgement and its author in a few words; "" for none. @param me the viewer's name */
export function judgedBy(judged, me) {
  if (!judged) return "";
  return `${judged.right ? "Right" : "Not needed"}, ${judged.by === me ? "you say" : `says ${judged.by}`}`;
}
