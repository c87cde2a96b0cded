// What was learned from judgements, in words. Pure.

const percent = (auc) => `${Math.round(auc * 100)} %`;

const TAKEN = { "": "not better on calls unseen, not taken", threshold: "threshold taken", weights: "weights taken" };

/** How well a lesson ranks calls that it has not seen, before and after. @param figures of it; null: too few calls */
export function ranking(figures) {
  if (!figures) return "too few judgements";
  const { auc_before, auc_after, taken } = figures;
  return `${percent(auc_before)} → ${percent(auc_after)}, ${TAKEN[taken]}`;
}

/** The result of the last look at the judgements. @param lessons of all calls, then of queues */
export function lookedAt(when, lessons) {
  if (!when) return "No look at judgements yet.";
  const [all] = lessons;
  if (!all) return `Last look: ${when}. No call was judged.`;
  const count = `${all.calls} judged ${all.calls === 1 ? "call" : "calls"}, ${all.right} of them right`;
  return `Last look: ${when}: ${count}. While live: ${ranking(all.live)}. At the end: ${ranking(all.ended)}.`;
}

/** The cells of a version's row, without its button. */
export function versionCells({ version, origin, by, lessons, queues, norms }, made) {
  const [all] = lessons;
  const from = { learned: "judgements", norms: "what is normal in the queues", "taken back": `taken back by ${by}` }[origin];
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
