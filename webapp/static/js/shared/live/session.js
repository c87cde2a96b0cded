// When the sign-in has ended: to the form, and from there back to the present page.

export function toSignIn() {
  const next = location.pathname + location.search + location.hash;
  location.assign(`/sign-in?${new URLSearchParams({ next, ended: "1" })}`);
}

/** `fetch`, but a 401 leads to the sign-in. */
export async function ask(url, options = {}) {
  const answer = await fetch(url, options);
  if (answer.status === 401) toSignIn();
  return answer;
}
