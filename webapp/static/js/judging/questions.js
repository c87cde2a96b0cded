// The questions about a call, and the judgements so far. Pure.

import { _ } from "../shared/wording/language.js";
import { inWords } from "../shared/wording/told.js";
import { kindInWords } from "../shared/wording/kinds.js";

/** Kind of the alert for a raised call. It also stands for the call itself, raised or not. */
const RAISED = "needs_attention";

/** Why an alert was not needed. */
export const WHYS = {
  "": _("No reason given"),
  misheard: _("The words were misheard"),
  friendly: _("They meant something else"),
  ordinary: _("Such calls are usual here"),
  solved: _("The agent had it in hand"),
  other: _("Something else"),
};

/** The call itself, then each kind of its alerts: the text, and the judgement (null: none yet). */
export function questions({ alerts, raised, handling }) {
  const kinds = [RAISED, ...new Set(alerts.map(({ kind }) => kind).filter((kind) => kind !== RAISED))];
  return kinds.map((kind) => ({
    alert: kind,
    text: kind === RAISED ? ofTheCall(alerts, raised) : inWords(alerts.findLast((alert) => alert.kind === kind).reason || kindInWords(kind)),
    judged: (handling.judged ?? []).find(({ alert }) => alert === kind) ?? null,
  }));
}

function ofTheCall(alerts, raised) {
  const told = alerts.findLast(({ kind }) => kind === RAISED);
  if (told?.reason) return _("Needed a look: {reason}", { reason: inWords(told.reason) });
  return raised || told ? _("Needed a look") : _("Not raised: did it need a look?");
}

/** The judgement and its author in a few words; "" for none. @param me the viewer's name */
export function judgedBy(judged, me) {
  if (!judged) return "";
  const by = { by: judged.by };
  if (judged.by === me) return judged.right ? _("Right, you say") : _("Not needed, you say");
  return judged.right ? _("Right, says {by}", by) : _("Not needed, says {by}", by);
}
