// What was learned from judgements, in words. Pure.

import { _, ngettext } from "../shared/wording/language.js";

const percent = (auc) => `${Math.round(auc * 100)} %`;

const TAKEN = { "": _("no better on unseen calls, not used"), threshold: _("threshold taken"), weights: _("weights taken") };

/** How well a lesson ranks calls that it has not seen, before and after. @param figures of it; null: too few calls */
export function ranking(figures) {
  if (!figures) return _("too few judgements");
  const { auc_before, auc_after, taken } = figures;
  return `${percent(auc_before)} → ${percent(auc_after)}, ${TAKEN[taken]}`;
}

/** The result of the last look at the judgements. @param lessons of all calls, then of queues */
export function lookedAt(when, lessons) {
  if (!when) return _("No look at judgements yet.");
  const [all] = lessons;
  if (!all) return _("Last look: {when}. No call was judged.", { when });
  const count = ngettext("{n} judged call, {right} of them right", "{n} judged calls, {right} of them right", all.calls, all);
  return _("Last look: {when}: {count}. While live: {live}. At the end: {ended}.", { when, count, live: ranking(all.live), ended: ranking(all.ended) });
}

/** The cells of a version's row, without its button. */
export function versionCells({ version, origin, by, lessons, queues, norms }, made) {
  const [all] = lessons;
  const from = { learned: _("judgements"), norms: _("what is normal in the queues"), "taken back": _("taken back by {by}", { by }) }[origin];
  return [
    String(version),
    made,
    from,
    all ? String(all.calls) : "0",
    all ? ranking(all.live) : "–",
    all ? ranking(all.ended) : "–",
    [...new Set([...queues, ...Object.keys(norms)])].sort().join(", ") || "–",
  ];
}
