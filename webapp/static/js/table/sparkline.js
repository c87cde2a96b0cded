// A call's score as a line of a few dozen pixels: time to the right, score -1..1 upwards.

export const WIDTH = 88;
export const HEIGHT = 24;
const MARGIN = 3;
/** Age of a call at which its line fills the width. Until then the line grows. */
const SHORTEST_SECONDS = 60;

/** [[second, score]...] as [[x, y]...] in pixels. */
export function place(curve) {
  if (!curve.length) return [];
  const first = curve[0][0];
  const length = Math.max(SHORTEST_SECONDS, curve.at(-1)[0] - first);
  return curve.map(([second, score]) => [
    round(MARGIN + ((second - first) / length) * (WIDTH - 2 * MARGIN)),
    round(HEIGHT / 2 - Math.max(-1, Math.min(1, score)) * (HEIGHT / 2 - MARGIN)),
  ]);
}

const round = (n) => Math.round(n * 10) / 10;
