// When the sign-in has ended: to the form, and from there back to the present page.

/** Time for the form to come. Opening it again earlier would stop it on its way and begin once more. */
const COMES_MS = 10_000;

let wentMs = Number.NEGATIVE_INFINITY;

export function toSignIn() {
  if (performance.now() - wentMs < COMES_MS) return;
  wentMs = performance.now();
  const next = location.pathname + location.search + location.hash;
  location.assign(`/sign-in?${new URLSearchParams({ next, ended: "1" })}`);
}

/** `fetch`, but a 401 leads to the sign-in. */
export async function ask(url, options = {}) {
  const answer = await fetch(url, options);
  if (answer.status === 401) toSignIn();
  return answer;
}
