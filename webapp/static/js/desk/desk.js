// An agent's own page: the words of the call as they come, a button that asks for help, and supervisors' messages.

import { clock, duration, party, span } from "../shared/wording/format.js";
import { toSignIn } from "../shared/live/session.js";
import { linesOf, waitingTold } from "./told.js";
import { _ } from "../shared/wording/language.js";

/** Time between two requests for the desk; the second while nobody sees the page. */
const AGAIN_MS = 2_000;
const UNSEEN_MS = 10_000;
const at = (selector) => document.querySelector(selector);
const token = at("meta[name=csrf-token]").content;
const given = new URLSearchParams(location.search).get("agent"); // with AUTH=off nobody has signed in
const query = given ? `?${new URLSearchParams({ agent: given })}` : "";
const form = at("#help");

let call = null;
let shown = "";
let read = ""; // the messages that the page shows
let last = null; // answer of the desk, and when it came
let lastAt = 0;
let etag = "";
let timer = 0;

async function ask(method, path, body = null) {
  const headers = { Accept: "application/json", "X-CSRF-Token": token, ...(body && { "Content-Type": "application/json" }) };
  const answer = await fetch(`/v1/desk${path}${query}`, { method, headers, body: body && JSON.stringify(body) });
  if (answer.status === 401) toSignIn();
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.detail || told.title);
  return told;
}

/** The desk as it is now. If nothing has changed, the server says only that. */
async function desk() {
  const answer = await fetch(`/v1/desk${query}`, { headers: { Accept: "application/json", ...(etag && { "If-None-Match": etag }) } });
  if (answer.status === 401) toSignIn();
  if (answer.status !== 304) {
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.detail || told.title);
    [last, lastAt, etag] = [told, performance.now(), answer.headers.get("ETag") ?? ""];
  }
  return { ...last, now: new Date(Date.parse(last.now) + performance.now() - lastAt).toISOString() };
}

async function look() {
  try {
    show(await desk());
    fault("");
  } catch (error) {
    fault(error instanceof TypeError ? _("No connection. What you see may be old.") : error.message);
  }
  clearTimeout(timer);
  timer = setTimeout(look, document.hidden ? UNSEEN_MS : AGAIN_MS);
}
document.addEventListener("visibilitychange", () => document.hidden || look());

function fault(text) {
  at("#fault").textContent = text;
  at("#fault").hidden = !text;
}

function show({ agent, now, calls }) {
  at("#who").textContent = agent;
  const before = call?.call_id;
  [call] = calls;
  document.querySelector("main").dataset.call = call ? "live" : before || shown ? "over" : "none";
  if (!call) {
    at("#waiting").textContent = shown ? _("The call is over.") : "";
    return;
  }
  if (call.call_id !== before) {
    form.reset();
    at("#lines").replaceChildren();
  }
  at("#call").textContent = [call.customer, call.queue, duration((Date.parse(now) - Date.parse(call.started_at)) / 1000)].filter(Boolean).join(" · ");
  showHelp(call.help, now);
  showMessages();
  const key = JSON.stringify([call.call_id, call.lines, call.speaking]);
  if (key === shown) return;
  shown = key;
  showWords();
}

function showHelp(help, now) {
  const waits = help && !help.answered_at;
  at("#ask").hidden = Boolean(waits);
  at("#cancel").hidden = !waits;
  form.dataset.waits = waits ? "yes" : "no";
  const told = waitingTold(help, call.on_it, span((Date.parse(now) - Date.parse(help?.at ?? now)) / 1000));
  if (at("#waiting").textContent !== told) at("#waiting").textContent = told;
}

/** The newest message first. Draws them only if they changed: each time they are read out. */
function showMessages() {
  const told = JSON.stringify([call.call_id, call.messages]);
  if (told === read) return;
  read = told;
  at("#messages").replaceChildren(...call.messages.toReversed().map((one) => item(`${one.by}, ${clock(Date.parse(one.at))}: `, one.text)));
}

/** The words; the newest stay in sight unless the agent reads further up. */
function showWords() {
  const list = at("#lines");
  const low = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  list.replaceChildren(...linesOf(call).map(({ track, text, open }) => {
    const line = item(`${party(track)}: `, text);
    line.dataset.track = track;
    if (open) line.className = "partial";
    return line;
  }));
  if (low) list.scrollTop = list.scrollHeight;
}

function item(head, text) {
  const made = document.createElement("li");
  const name = document.createElement("b");
  name.textContent = head;
  made.append(name, text);
  return made;
}

async function change(method, body) {
  if (!call) return;
  try {
    const told = await ask(method, `/calls/${encodeURIComponent(call.call_id)}/help`, body);
    call.help = told.help;
    showHelp(told.help, told.help?.at);
  } catch (error) {
    fault(error.message);
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const fields = new FormData(form);
  change("PUT", { reason: String(fields.get("other") || fields.get("reason") || "").trim() });
});
// A reason that comes after the cry for help is told too.
form.addEventListener("change", () => form.dataset.waits === "yes" && form.requestSubmit());
at("#cancel").addEventListener("click", () => change("DELETE"));
look();
