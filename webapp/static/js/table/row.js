// One row of the table. Writes a cell only when its content has changed; text goes in as text, never as HTML.

import * as format from "../shared/wording/format.js";
import { helpInWords, handlingInWords, isHandled, snoozeLeft, wantsHelp } from "../shared/wording/handling.js";
import { headlines, inParts } from "../shared/wording/reasons.js";
import { HEIGHT, place, WIDTH } from "./sparkline.js";
import { isAside, lineOfParty, NO_WORDS } from "../shared/wording/line.js";
import { customerOf, isBehind, isLoud, lagSeconds } from "../shared/live/store.js";
import { isOnSwitch } from "../shared/switchboard.js";
import { _ } from "../shared/wording/language.js";
import { inWords } from "../shared/wording/told.js";

/** Seconds without speech after which a party is called silent. */
const SILENT_SECONDS = 10;
/** Time after its last words for which a party is called talking, so that the sign does not flicker. */
const TALKING_MS = 2_500;
/** Alerts with a line of their own; the row only counts the others. */
const ALERT_LINES = 2;
/** Attention from which a call needs somebody now. */
const URGENT = 0.75;

/** Whether a row has lines of alerts, of who deals with the call, or of tags. @param needs attention? */
export function isTold(row, needs) {
  const { alerts, handling } = row;
  return (needs && row.reasons.length > 0) || wantsHelp(row) || alerts.length > 0 || handling.tags.length > 0 || handlingInWords(row, "") !== "";
}

export class RowView {
  #parts = {};
  #shown = new Map();

  /** @param template the page's <template> of a row */
  constructor(template, id) {
    this.element = template.content.firstElementChild.cloneNode(true);
    this.element.dataset.callId = id;
    for (const part of this.element.querySelectorAll("[data-part]")) this.#parts[part.dataset.part] = part;
    this.link = this.#parts.link;
    this.link.href = `#/calls/${encodeURIComponent(id)}`;
    this.#parts.spark.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  }

  /**
   * Shows `row`. @param needs attention?  @param me the viewer's name  @param hit where the words looked for were said,
   * and [before, them, after]; or null  @param spokeAt track -> ms of its last speech  @param nowMs server's clock
   */
  update(row, needs, me, hit, spokeAt, nowMs) {
    this.row = row;
    const { agent, queue, caller } = row.metadata;
    const customer = customerOf(row);
    this.#data("state", row.state);
    this.#data("level", !needs ? "calm" : row.attention >= URGENT || wantsHelp(row) ? "now" : "watch");
    this.#text("link", agent || format.MISSING);
    this.#attribute("link", "aria-label", _("{agent}, call with {customer}", { agent: agent || _("unknown agent"), customer: customer || _("unknown") }));
    this.#text("customer", customer || format.MISSING);
    this.#text("state", format.stateWord(row.state));
    const reasons = row.reasons.map((reason) => inWords(reason.text));
    this.#attention(row.attention, reasons);
    this.#mood(row.sentiment);
    this.#curve(row.curve);
    this.#words(row, hit);
    const handled = handlingInWords(row, me);
    this.handled = handled;
    const help = wantsHelp(row);
    this.#data("help", help ? "yes" : "no");
    this.#data("handled", isHandled(row) && !help ? "yes" : "no");
    this.#alerts(headlines(row, needs), row.alerts, help || handled || row.handling.tags.length ? 1 : ALERT_LINES);
    this.#data("switch", isOnSwitch(row) ? "yes" : "no");
    this.#data("told", isTold(row, needs) ? "yes" : "no");
    this.agentNote = queue || (agent ? "" : row.call_id);
    this.customerNote = row.metadata.customer && caller ? caller : "";
    this.tick(spokeAt, nowMs);
  }

  /** Marks the row of the opened call. */
  setCurrent(current) {
    this.#data("current", current ? "yes" : "no");
    this.link.ariaCurrent = current ? "true" : null;
  }

  /** Updates what depends on the time. */
  tick(spokeAt, nowMs) {
    const { row } = this;
    const until = row.ended_at ? Date.parse(row.ended_at) : nowMs;
    this.#text("duration", format.duration((until - Date.parse(row.started_at)) / 1000));
    this.#voice("agent", this.agentNote, spokeAt, nowMs);
    this.#voice("customer", this.customerNote, spokeAt, nowMs);
    const left = row.handling.state === "snoozed" ? snoozeLeft(row.handling, nowMs) : "";
    const help = wantsHelp(row) ? helpInWords(row.handling, nowMs) : "";
    this.#text("handled", [help, this.handled, left, row.handling.tags.join(", ")].filter(Boolean).join(" · "));
    this.#text("lag", isBehind(row) ? _("behind {time}", { time: format.span(lagSeconds(row)) }) : "");
  }

  #attention(value, reasons) {
    this.#text("attention", format.attention(value));
    if (this.#changed("why", reasons.join("\n"))) this.#parts.attention.parentElement.title = reasons.join("\n");
    this.#value("attention", value);
    if (this.#changed("meter", value)) this.#parts.meter.style.transform = `scaleX(${value})`;
  }

  #mood({ score, trend }) {
    this.#data("mood", format.mood(score));
    this.#text("sentiment", format.moodWord(score));
    this.#text("course", format.course(trend));
    this.#value("sentiment", score);
    const numbers = format.moodNumbers({ score, trend });
    if (this.#changed("numbers", numbers)) this.#parts.sentiment.parentElement.title = numbers;
  }

  #curve(curve) {
    if (!this.#changed("curve", JSON.stringify(curve))) return;
    const points = place(curve);
    const [x, y] = points.at(-1) ?? [-9, -9];
    this.#parts.line.setAttribute("points", points.map((point) => point.join(",")).join(" "));
    this.#parts.tip.setAttribute("cx", x);
    this.#parts.tip.setAttribute("cy", y);
    this.#parts.zero.setAttribute("x2", points.length ? WIDTH - 3 : 3);
  }

  #words({ last, tracks }, hit) {
    this.#data("hit", hit ? "yes" : "no");
    if (hit) this.#found(hit);
    else {
      this.#text("speaker", last ? format.party(last.track) : "");
      this.#text("final", last ? last.text : "");
    }
    const open = Object.entries(tracks).filter(([, track]) => track.partial);
    // If both talk, the row shows the customer, whom the supervisor watches.
    const [name, track] = open.find(([name]) => name === "customer") ?? open[0] ?? ["", null];
    this.#data("open", track ? "yes" : "no");
    this.#text("talker", track ? format.party(name) : "");
    this.#text("partial", track ? track.partial : "");
  }

  /** Words that a search found stand in the place of the last words. */
  #found({ start, track, parts: [before, word, after] }) {
    this.#text("speaker", `${format.duration(start)} ${format.party(track)}`);
    if (!this.#changed("final", [before, word, after].join("\n"))) return;
    const marked = document.createElement("mark");
    marked.textContent = word;
    this.#parts.final.replaceChildren(before, ...(word ? [marked] : []), after);
  }

  /** The weightiest findings: first the quotation, then its meaning. */
  #alerts(shown, alerts, room) {
    if (!this.#changed("alerts", JSON.stringify([shown, alerts, room]))) return;
    const lines = shown.slice(0, room).map(({ kind, text }) => {
      const line = document.createElement("span");
      line.className = "alert";
      line.append(...inParts(text));
      line.dataset.kind = kind;
      return line;
    });
    if (shown.length > room) {
      const more = document.createElement("span");
      more.className = "more";
      more.textContent = `+${shown.length - room}`;
      lines.at(-1).append(" ", more);
    }
    this.#parts.alerts.replaceChildren(...lines);
    this.#parts.alerts.title = alerts
      .map((alert) => `${format.duration(alert.at)} ${inWords(alert.reason)}`)
      .join("\n");
  }

  #voice(party, note, spokeAt, nowMs) {
    const track = this.row.tracks[party];
    const silent = (nowMs - spokeAt(party)) / 1000;
    const talking = this.row.state !== "ended" && (Boolean(track?.partial) || silent * 1000 < TALKING_MS);
    const quiet = this.row.state === "live" && track && silent >= SILENT_SECONDS && !isBehind(this.row) && !isAside(this.row, party);
    const part = `${party}-voice`;
    const loud = party === "customer" && isLoud(this.row) ? _("raised voice") : "";
    const second = (nowMs - Date.parse(this.row.started_at)) / 1000;
    const line = this.row.state === "ended" ? "" : lineOfParty(this.row, party, second);
    const mute = this.row.state === "live" && track?.wordless;
    const silence = mute ? NO_WORDS.short : quiet && !talking && _("silent {time}", { time: format.span(silent) });
    this.#text(part, [loud, line, mute && silence, note, !mute && silence].filter(Boolean).join(" · "));
    this.#attribute(part, "class", loud ? "sub loud" : mute ? "sub wordless" : "sub");
    this.#attribute(part, "title", mute ? NO_WORDS.long : "");
    this.#text(`${party}-talks`, talking ? _("talking") : "");
  }

  #changed(key, value) {
    if (this.#shown.get(key) === value) return false;
    this.#shown.set(key, value);
    return true;
  }

  #text(part, value) {
    if (this.#changed(part, value)) this.#parts[part].textContent = value;
  }

  #attribute(part, name, value) {
    if (this.#changed(`${part}@${name}`, value)) this.#parts[part].setAttribute(name, value);
  }

  #data(name, value) {
    if (this.#changed(`data-${name}`, value)) this.element.dataset[name] = value;
  }

  /** The unrounded value, for programs that read the table. */
  #value(field, value) {
    const cell = this.#parts[field].closest("td");
    if (this.#changed(`${field}-value`, value)) cell.dataset.value = value ?? "";
  }
}
