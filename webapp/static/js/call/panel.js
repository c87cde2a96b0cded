// An opened call, beside the table. Its address is #/calls/ID. A live call goes on in it; an ended one is read again.

import { draw, drawHead, scales } from "./chart.js";
import { toClipboard } from "../shared/clipboard.js";
import { Conversation } from "./conversation.js";
import { Earlier } from "./earlier.js";
import { Findings } from "./findings.js";
import { Gist } from "./gist.js";
import * as format from "../shared/wording/format.js";
import { UNTOUCHED, wantsHelp, woken } from "../shared/wording/handling.js";
import { Particulars } from "./particulars.js";
import { NO_WORDS, speakerOf } from "../shared/wording/line.js";
import { titleOf, wordless } from "../shared/live/store.js";
import { story } from "../shared/live/story.js";
import { ask } from "../shared/live/session.js";
import { Transcript } from "./transcript.js";
import { _ } from "../shared/wording/language.js";

const RETRY_MS = 3_000;
/** Seconds before the alert at which playing starts. */
const LEAD_SECONDS = 10;

export class Panel {
  id = null;
  /** Resolves when the call has been read, or reading has failed. */
  ready = Promise.resolve();
  #root;
  #parts = {};
  #calls;
  #clock;
  #conversation;
  #gist;
  #earlier;
  #findings;
  #particulars;
  #transcript = null;
  #told = { points: [], earlier: 0 }; // the parts of the call's story
  #view = null; // the call as last read from the API
  #charted = ""; // what the chart shows
  #loads = 0;
  #frame = 0;

  /** Called with the second of the call to play. */
  onPlay = (_second, _how = {}) => {};

  /** Called with the opened call's row and the time whenever it is drawn. */
  onDraw = (_row, _nowMs) => {};

  /** Called when a call was opened or closed, with its id or null. */
  onChange = (_id) => {};

  constructor(root, calls, clock) {
    [this.#root, this.#calls, this.#clock] = [root, calls, clock];
    for (const part of root.querySelectorAll("[data-call]")) this.#parts[part.dataset.call] = part;
    const { list, scroller, newest, confidence, worst, copy, chart } = this.#parts;
    this.#conversation = new Conversation(list, scroller, newest, root.querySelector("[data-listen]") && ((second) => this.onPlay(second)));
    this.#gist = new Gist(this.#parts.gist, (id, at) => this.#play(id, at));
    confidence.addEventListener("click", () => {
      const on = confidence.getAttribute("aria-pressed") !== "true";
      confidence.setAttribute("aria-pressed", on);
      list.dataset.confidence = on ? "shown" : "hidden";
    });
    this.#gist.onTold = (points) => this.#tell({ points });
    this.#earlier = new Earlier(this.#parts.earlier);
    this.#earlier.onTold = (earlier) => this.#tell({ earlier });
    this.#findings = new Findings(this.#parts, (second) => this.jumpTo(second), () => this.playLead());
    this.#particulars = new Particulars(this.#parts);
    worst.addEventListener("click", () => this.#play(this.#transcript.worst, this.worst));
    copy.addEventListener("click", () => this.#copy());
    chart.addEventListener("click", (event) => {
      this.jumpTo(scales(chart, this.#seconds()).second(event.clientX - chart.getBoundingClientRect().left));
    });
    new ResizeObserver(() => this.id && this.#schedule()).observe(chart);
    addEventListener("hashchange", () => this.follow());
    setInterval(() => this.id && this.#schedule(), 1_000);
  }

  /** Opens the call that the address names, or closes the panel. */
  follow() {
    const named = /^#\/calls\/(.+)$/.exec(location.hash)?.[1];
    const id = named ? decode(named) : null;
    if (id === this.id) return;
    this.id = id;
    this.#root.hidden = !id;
    this.#transcript = new Transcript();
    this.#view = null;
    this.#tell({ points: [], earlier: 0 });
    this.#earlier.follow();
    this.#gist.follow(id);
    this.#conversation.seek("");
    this.onChange(id);
    if (!id) return;
    this.#parts.title.textContent = id;
    this.#parts.note.textContent = _("Fetching the call…");
    this.#conversation.clear(Date.now());
    this.#links();
    this.#draw();
    this.ready = this.load();
    this.#parts.title.focus();
  }

  close() {
    if (!this.id) return;
    location.hash = "";
    this.follow(); // the browser tells of the new address late: what is typed meanwhile must not act on the call
  }

  /** The second of the opened call's worst moment; null while there is none. */
  get worst() {
    return this.#transcript?.start(this.#transcript.worst) ?? null;
  }

  /** Shows the worst moment and plays some seconds of it. */
  playWorst(seconds) {
    if (this.worst === null) return;
    this.#conversation.jump(this.#transcript.worst);
    this.onPlay(this.worst, { seconds });
  }

  /** What was said in the opened call, in order. */
  get utterances() {
    return this.#transcript?.utterances ?? [];
  }

  /** Marks the words being played: a second of the call, or null. */
  hear(second) {
    this.#conversation.hear(second === null ? null : this.#transcript.at(second), second);
    drawHead(this.#parts.chart, second, this.#row ? this.#seconds() : 0);
  }

  /** Once the call has been read, shows the utterance with the words sought, and marks them. */
  async find(utteranceId, words) {
    const { id } = this;
    this.#conversation.seek(words);
    await Promise.resolve(); // the reading begins after onChange
    await this.ready;
    if (id === this.id) this.#conversation.jump(utteranceId);
  }

  /** Reads the call: when it opens, after a hole in the feed, and when it has ended. */
  async load() {
    if (!this.id) return;
    const load = ++this.#loads;
    let note = "";
    try {
      const answer = await ask(this.#address(), { headers: { Accept: "application/json" } });
      if (load !== this.#loads) return;
      if (answer.status === 404) note = _("There is no such call. Ended calls stay for some time only.");
      else if (!answer.ok) throw new Error(String(answer.status));
      else {
        const view = await answer.json();
        if (load !== this.#loads) return;
        if (!this.#view) this.#conversation.clear(Date.parse(view.started_at));
        this.#view = view;
        this.#transcript.load(view);
      }
    } catch {
      if (load !== this.#loads) return;
      note = _("The page could not fetch the call. Trying again…");
      setTimeout(() => load === this.#loads && this.load(), RETRY_MS);
    }
    this.#parts.note.textContent = note;
    this.#draw();
    if (this.#view) this.#gist.load();
  }

  /** Takes in an event of the feed. */
  apply(event) {
    if (event.call_id !== this.id) return;
    this.#transcript.apply(event);
    if (event.kind === "score") this.#gist.soon();
    if (event.kind === "handling" && this.#view) this.#view = { ...this.#view, handling: event.handling };
    if (event.kind === "call" && event.state === "ended") this.load(); // the end, then its summary
    this.#schedule();
  }

  #schedule() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  /** The call's row. The table's row is preferred, because it is live. */
  get #row() {
    return this.#calls.rows.get(this.id) ?? this.#view;
  }

  #draw() {
    const row = this.#row;
    this.#parts.body.hidden = !this.#view;
    if (!this.id || !row) return;
    const parts = this.#parts;
    this.#text("title", titleOf(row));
    this.#text("queue", row.metadata.queue ?? "");
    this.#text("state", format.stateWord(row.state));
    this.#text("duration", format.duration(this.#seconds()));
    const mute = wordless(row);
    this.#text("wordless", mute.length ? `${NO_WORDS.short} (${mute.map(format.party).join(", ")})` : "");
    this.#text("attention", _("attention {n}", { n: format.attention(row.attention) }));
    const { score, trend } = row.sentiment;
    this.#text("mood", [score === null ? "" : format.moodWord(score), format.course(trend)].filter(Boolean).join(", "));
    parts.mood.title = format.moodNumbers(row.sentiment);
    parts.facts.dataset.mood = format.mood(row.sentiment.score);
    if (!this.#view) return;
    this.onDraw({ ...row, handling: woken(row.handling ?? UNTOUCHED, this.#clock()) }, this.#clock());
    const { utterances, summary, worst } = this.#transcript;
    parts.worst.disabled = !worst;
    parts.confidence.disabled = !this.#transcript.hasConfidence;
    parts.confidence.title = parts.confidence.disabled ? _("The speech engine of this call gives no confidence") : "";
    this.#findings.show(row);
    this.#earlier.show(row);
    this.#particulars.show(row, summary);
    const seconds = Math.round(this.#seconds());
    const key = JSON.stringify([this.id, row.curve, row.alerts, seconds, utterances.length, row.loud, parts.chart.clientWidth]);
    if (key !== this.#charted) {
      this.#charted = key;
      draw(parts.chart, { curve: row.curve, alerts: row.alerts, utterances, seconds, loud: row.loud });
    }
    this.#conversation.show(utterances, row.tracks, row.loud, (track, second) => speakerOf(row, track, second));
    if (row.about) this.#gist.about(row.about);
    this.#text("silence", mute.length ? NO_WORDS.long : utterances.length ? "" : _("Nobody has spoken yet."));
  }

  #tell(more) {
    this.#told = { ...this.#told, ...more };
    this.#text("story", story(this.#told.points, this.#told.earlier));
  }

  #seconds() {
    const row = this.#row;
    const until = row.ended_at ? Date.parse(row.ended_at) : this.#clock();
    return Math.max(0, (until - Date.parse(row.started_at)) / 1000);
  }

  /** Plays the words before the alert, or before the agent's request for help. */
  playLead() {
    const row = this.#row;
    if (!row) return;
    const asked = wantsHelp(row) ? (Date.parse(row.handling.help.at) - Date.parse(row.started_at)) / 1000 : null;
    const second = asked ?? row.raised_at ?? 0;
    this.#conversation.jump(this.#transcript.at(second));
    this.onPlay(second, { before: LEAD_SECONDS });
  }

  /** Shows a second of the call, and plays from it. */
  jumpTo(second) {
    this.#play(this.#transcript.at(second), second);
  }

  /** Shows an utterance, and plays the call from that second. */
  #play(id, second) {
    this.#conversation.jump(id);
    this.onPlay(second);
  }

  async #copy() {
    const { copy } = this.#parts;
    const done = await toClipboard(this.#transcript.text);
    copy.textContent = done ? _("Copied") : _("This browser does not allow copying here");
    setTimeout(() => (copy.textContent = _("Copy the words")), 2_000);
  }

  #links() {
    for (const link of this.#root.querySelectorAll("a[data-form]")) {
      link.href = `${this.#address()}/transcript.${link.dataset.form}`;
      link.download = `${this.id}.${link.dataset.form}`;
    }
  }

  #address() {
    return `/v1/calls/${encodeURIComponent(this.id)}`;
  }

  #text(part, value) {
    if (this.#parts[part].textContent !== value) this.#parts[part].textContent = value;
  }
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
