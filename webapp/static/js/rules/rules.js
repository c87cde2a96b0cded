// The page of the rules: reads, tries out and saves them. It shows an error below the text and marks it there.

import { goToLine } from "../shared/go_to_line.js";
import { faultOf, hitCells, looked } from "../shared/wording/figures.js";
import { rowOf } from "../shared/rows.js";
import { RuleForm } from "./form.js";
import { listen } from "./words.js";
import { _ } from "../shared/wording/language.js";

const at = (selector) => document.querySelector(selector);
const text = at("#text");
const buttons = [at("#save"), at("#try"), at("#reload")];
const token = at("meta[name=csrf-token]").content;
let etag = "";
let saved = "";

const dirty = () => text.value !== saved;

function busy(doing) {
  for (const button of buttons) button.disabled = doing;
  at("#try").disabled ||= text.disabled; // nothing was read yet: that can be tried again
  at("#reload").disabled ||= !dirty() && !text.disabled;
  at("#save").disabled ||= !dirty();
  at("#add").disabled = doing || text.disabled;
}

function say(message, fault = "") {
  at("#said").textContent = message;
  at("#fault").textContent = fault;
  text.setAttribute("aria-invalid", String(Boolean(fault)));
}

async function ask(method, path, headers = {}) {
  const body = method === "GET" ? undefined : text.value;
  const sent = body === undefined ? {} : { "Content-Type": "application/yaml", "X-CSRF-Token": token };
  return fetch(path, { method, body, headers: { ...sent, ...headers } });
}

/** Says what the server refused, and goes to the line. */
async function refused(answer) {
  const problem = await answer.json().catch(() => ({ title: _("The server answered {status}.", { status: answer.status }) }));
  if (answer.status === 412) {
    say("", _("Somebody else has saved other rules. Copy yours, discard your changes, and add yours again."));
    return;
  }
  const { line, message } = faultOf(problem);
  say("", message);
  if (!line) return;
  at("#advanced").open = true;
  goToLine(text, line);
}

async function working(message, work) {
  busy(true);
  say(message);
  try {
    await work();
  } catch {
    say("", _("The server does not answer. Nothing has changed."));
  }
  busy(false);
}

const load = () =>
  working(_("Fetching the rules…"), async () => {
    const answer = await ask("GET", "/v1/rules");
    if (!answer.ok) return refused(answer);
    etag = answer.headers.get("ETag");
    text.value = await answer.text();
    saved = text.value; // as the field holds it: with other line ends
    text.disabled = false;
    await understand();
    at("#version").textContent = _("Version {n}.", { n: etag.replaceAll('"', "") });
    say("");
  });

const save = () =>
  working(_("Saving…"), async () => {
    const answer = await ask("PUT", "/v1/rules", { "If-Match": etag });
    if (!answer.ok) return refused(answer);
    const { rules } = await answer.json();
    await load();
    say(_("Saved. It applies to all live calls within a second or two. Rules: {rules}.", { rules }));
  });

const tryOut = () =>
  working(_("Trying the rules on stored calls…"), async () => {
    const answer = await ask("POST", "/v1/rules/dry-run");
    if (!answer.ok) return refused(answer);
    const found = await answer.json();
    at("#by-rule tbody").replaceChildren(
      ...Object.entries(found.by_rule).map(([rule, hits]) => rowOf([rule, String(hits)], true)),
    );
    at("#hits tbody").replaceChildren(...found.hits.map((hit) => hitRow(hit)));
    at("#looked").textContent = looked(found);
    at("#found").hidden = false;
    say(_("Done. See the result below."));
    at("#found-title").focus();
  });

function hitRow(hit) {
  const row = rowOf(hitCells(hit));
  const link = document.createElement("a");
  link.href = `/#/calls/${encodeURIComponent(hit.call_id)}`;
  link.textContent = hit.call_id;
  /** @type {Element} */ (row.firstChild).replaceChildren(link);
  return row;
}

const form = new RuleForm(at("#list"), at("#rule"), write);
const tryWords = listen(at("#words"), heard);
let understood = null;

/** Shows the text's rules in the form, if the text has no error. */
async function understand() {
  const answer = await ask("POST", "/v1/rules/understood");
  understood = answer.ok ? await answer.json() : null;
  form.show(understood);
  tryWords();
}

/** Writes the form's rules into the text. Returns whether they can be used. */
async function write(file) {
  let done = false;
  await working("", async () => {
    const answer = await send("/v1/rules/as-yaml", file);
    if (!answer.ok) return say("", faultOf(await answer.json()).message);
    text.value = await answer.text();
    understood = file;
    done = true;
    say(_("Changed here. Save to let it apply to calls."));
    tryWords();
  });
  return done;
}

async function heard(words, track, queue) {
  if (!understood) return null;
  const answer = await send("/v1/rules/heard", { file: understood, track, queue, text: words });
  return answer.ok ? (await answer.json()).hits : null;
}

const send = (path, body) =>
  fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": token },
    body: JSON.stringify(body),
  });

at("#add").addEventListener("click", () => form.add());
text.addEventListener("change", () => understand().catch(() => {}));
at("#save").addEventListener("click", save);
at("#try").addEventListener("click", tryOut);
at("#reload").addEventListener("click", load);
text.addEventListener("input", () => busy(false));
addEventListener("beforeunload", (event) => dirty() && event.preventDefault());
load();
