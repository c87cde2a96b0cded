// The questions of the scorecard as YAML: read, taken from a file, saved. The text below tells an error, and the field marks its line.

import { goToLine } from "../shared/go_to_line.js";
import { ask } from "../shared/live/session.js";
import { faultOf } from "../shared/wording/figures.js";
import { _ } from "../shared/wording/language.js";

const at = (selector) => document.querySelector(selector);
const YAML = "/v1/scorecard.yaml";

/** Readies the field. Returns the function to call when the questions were saved in another way.
 * @param acting an Acting  @param onSaved called with the new edition */
export function editYaml(acting, onSaved) {
  const box = at("#as-yaml");
  const field = at("#yaml");
  const token = at("meta[name=csrf-token]").content;
  let etag = "";

  const fault = (message = "") => {
    at("#yaml-fault").textContent = message;
    field.setAttribute("aria-invalid", String(Boolean(message)));
  };

  async function load() {
    const answer = await ask(YAML).catch(() => null);
    if (!answer?.ok) return fault(_("The page could not fetch the questions. Reload to try again."));
    [etag, field.value, field.disabled] = [answer.headers.get("ETag") ?? "", await answer.text(), false];
    fault();
  }

  async function save() {
    const by = await acting.signature();
    if (!by) return;
    const headers = { "Content-Type": "application/yaml", "X-CSRF-Token": token, "If-Match": etag };
    const answer = await ask(`${YAML}?${new URLSearchParams(by)}`, { method: "PUT", headers, body: field.value }).catch(() => null);
    const told = await answer?.json().catch(() => null);
    if (answer?.ok && told) {
      await load();
      acting.tell(_("The questions are saved."));
      onSaved(told);
    } else if (answer?.status === 412) {
      fault(_("Somebody else has saved other questions. Copy yours, reload, and add yours again."));
    } else {
      const { line, message } = told ? faultOf(told) : { line: null, message: _("The server did not answer. Nothing has changed.") };
      fault(message);
      if (line) goToLine(field, line);
    }
  }

  box.addEventListener("toggle", () => box.open && !etag && load());
  box.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    save();
  });
  box.querySelector("input[type=file]").addEventListener("change", async ({ target }) => {
    if (target.files[0]) field.value = await target.files[0].text();
    target.value = "";
    fault();
  });
  return () => {
    etag = "";
    box.open = false;
  };
}
