// The transcript as a conversation. It follows the end until the reader scrolls up, and follows the sound.

import * as format from "../shared/wording/format.js";
import { confidence, wordsOf } from "./transcript.js";
import { _ } from "../shared/wording/language.js";
import { holdsOne } from "../shared/wording/sought.js";
import { inWords } from "../shared/wording/told.js";

/** Pixels from the end within which a reader counts as at the end. */
const AT_END = 48;
const FLASH_MS = 2_500;

export class Conversation {
  #list;
  #scroller;
  #newest;
  #items = new Map(); // utterance id -> {said, element, loud}
  #partials = new Map(); // track -> element
  #loud = new Set();
  #speaker = (_track, _second) => "";
  #following = true;
  #startedMs = 0;
  #height = 0;
  #heard = null; // the element of the utterance that is heard
  #brought = -1; // where the page itself has scrolled for it; -1 once the reader scrolls
  #keepsUp = true; // whether the next one that is heard comes into sight
  #word = null; // and that of the word
  #sought = ""; // words to be marked
  #onPlay;

  /**
   * @param list the <ol>  @param scroller what scrolls it  @param newest the button back to the end
   * @param onPlay called with the second of a line or word that was pressed; null where calls cannot be heard
   */
  constructor(list, scroller, newest, onPlay = null) {
    [this.#list, this.#scroller, this.#newest, this.#onPlay] = [list, scroller, newest, onPlay];
    if (onPlay) list.addEventListener("click", (event) => this.#press(event));
    new ResizeObserver(() => this.#resized()).observe(scroller);
    scroller.addEventListener("scroll", () => {
      if (this.#resized() || scroller.scrollTop === this.#brought) return;
      this.#brought = -1;
      this.#following = newest.hidden = this.#fromEnd() < AT_END;
    });
    newest.addEventListener("click", () => this.toEnd());
  }

  /** Starts over, for a call that began at `startedMs`. */
  clear(startedMs) {
    this.#items.clear();
    this.#partials.clear();
    this.#list.replaceChildren();
    this.#startedMs = startedMs;
    this.#following = true;
    this.#newest.hidden = true;
    this.#heard = null;
    this.#brought = -1;
    this.#keepsUp = true;
  }

  /** Marks these words in all that is shown from now on; "" for none. */
  seek(words) {
    this.#sought = words;
  }

  /**
   * @param utterances in order  @param tracks track -> {partial}  @param loud ids of those in a raised voice
   * @param speaker (track, second) -> who spoke, "" where the track's name says it
   */
  show(utterances, tracks, loud = [], speaker = this.#speaker) {
    this.#loud = new Set(loud);
    this.#speaker = speaker;
    let next = this.#list.firstElementChild;
    for (const said of utterances) {
      const element = this.#item(said);
      if (element === next) next = next.nextElementSibling;
      else this.#list.insertBefore(element, next);
    }
    for (const [track, { partial }] of Object.entries(tracks)) this.#showPartial(track, partial);
    if (this.#following) this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  /** Shows an utterance and the ones about it. */
  jump(id) {
    const element = this.#items.get(id)?.element;
    if (!element) return;
    this.#following = false;
    element.scrollIntoView({ block: "center" });
    element.focus({ preventScroll: true });
    element.dataset.flash = "";
    setTimeout(() => delete element.dataset.flash, FLASH_MS);
  }

  /**
   * Marks the utterance that is heard, and in it the word; null for none. second: null when nobody listens any more.
   * The first utterance comes into sight, and each one that follows if the one before still was.
   */
  hear(id, second = null) {
    this.#hearWord(id === null ? null : this.#items.get(id), second);
    const element = this.#items.get(id)?.element ?? null;
    if (second === null) this.#keepsUp = true;
    if (element === this.#heard) return;
    if (this.#heard && second !== null) this.#keepsUp = isWithin(this.#heard, this.#scroller);
    this.#heard?.removeAttribute("data-heard");
    element?.setAttribute("data-heard", "");
    if (this.#keepsUp && element) this.#bring(element);
    this.#heard = element;
  }

  /** Brings an utterance into sight. If that took a move, however small, new words do not take the reader away. */
  #bring(element) {
    const before = this.#scroller.scrollTop;
    element.scrollIntoView({ block: "nearest" });
    if (this.#scroller.scrollTop === before) return;
    this.#brought = this.#scroller.scrollTop;
    this.#following = this.#newest.hidden = this.#fromEnd() < 1;
  }

  /** Pixels of the words below those in sight. */
  #fromEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight;
  }

  #hearWord(item, second) {
    const nth = item?.said.words?.findIndex(({ start, end }) => start <= second && second < end) ?? -1;
    const word = nth < 0 ? null : item.element.querySelector(".words").children[nth];
    if (word === this.#word) return;
    this.#word?.removeAttribute("data-heard");
    word?.setAttribute("data-heard", "");
    this.#word = word;
  }

  #press({ target }) {
    const item = target.closest("li[data-utterance]");
    if (!item || !getSelection().isCollapsed) return; // words are being selected
    const { said } = this.#items.get(item.dataset.utterance);
    const word = target.closest(".words span");
    const nth = word ? [...word.parentElement.children].indexOf(word) : -1;
    this.#onPlay(said.words?.[nth]?.start ?? said.start);
  }

  toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  /** Whether to keep a reader at the end because the room for the words has changed. */
  #resized() {
    const { clientHeight } = this.#scroller;
    const changed = clientHeight !== this.#height;
    this.#height = clientHeight;
    if (changed && this.#following) this.toEnd();
    return changed && this.#following;
  }

  #item(said) {
    const known = this.#items.get(said.id);
    const loud = this.#loud.has(said.id);
    if (known?.loud === loud && known.said.sentiment === said.sentiment && known.said.text === said.text) {
      return known.element;
    }
    const element = known?.element ?? document.createElement("li");
    element.replaceChildren(...this.#content(said));
    element.tabIndex = -1;
    element.dataset.utterance = said.id;
    this.#side(element, said.track);
    element.dataset.mood = format.mood(said.sentiment?.polarity);
    if (said.mark) element.dataset.mark = said.mark;
    element.toggleAttribute("data-loud", loud);
    this.#items.set(said.id, { said, element, loud });
    return element;
  }

  #content(said) {
    const who = this.#speaker(said.track, said.start);
    const head = make("span", "said-by", who ? `${format.party(said.track)}, ${who}` : format.party(said.track));
    const time = make(this.#onPlay ? "button" : "span", "at", format.duration(said.start));
    time.title = format.moment(this.#startedMs + said.start * 1000);
    if (this.#onPlay) time.setAttribute("aria-label", _("Play from {time}", { time: format.duration(said.start) }));
    head.append(" ", time);
    const words = make("p", "words");
    if (said.words?.length) {
      for (const { word, conf } of said.words) {
        const one = make("span", "", word);
        one.dataset.conf = confidence(conf);
        if (holdsOne(word, this.#sought)) one.dataset.found = "";
        if (conf !== null && conf !== undefined) one.title = _("{percent} % sure", { percent: Math.round(conf * 100) });
        words.append(one, " ");
      }
    } else {
      words.textContent = wordsOf(said);
    }
    const parts = [head, words];
    if (this.#loud.has(said.id)) head.append(" ", make("span", "loud", _("raised voice")));
    if (said.sentiment && format.mood(said.sentiment.polarity) !== "even") {
      const why = said.sentiment.reasons.map(inWords).join(", ");
      const tone = make("span", "polarity", format.moodWord(said.sentiment.polarity));
      tone.title = format.moodNumbers({ score: said.sentiment.polarity, trend: null });
      head.append(" ", tone);
      if (why) parts.push(make("p", "why", why));
    }
    return parts;
  }

  #showPartial(track, partial) {
    let element = this.#partials.get(track);
    if (!partial) {
      element?.remove();
      return;
    }
    if (!element) {
      element = document.createElement("li");
      element.className = "speaking";
      element.append(make("span", "said-by", _("{track}, speaking", { track: format.party(track) })), make("p", "words partial"));
      this.#side(element, track);
      this.#partials.set(track, element);
    }
    const words = element.lastElementChild;
    if (words.textContent !== partial) words.textContent = partial;
    if (element.parentElement !== this.#list || !isLast(element)) this.#list.append(element);
  }

  #side(element, track) {
    element.dataset.track = track;
    element.dataset.side = track === "agent" ? "right" : "left";
  }
}

/** Whether only other words still being spoken follow. */
function isLast(element) {
  for (let next = element.nextElementSibling; next; next = next.nextElementSibling) {
    if (!next.classList.contains("speaking")) return false;
  }
  return true;
}

function isWithin(element, scroller) {
  const [inner, outer] = [element.getBoundingClientRect(), scroller.getBoundingClientRect()];
  return inner.bottom > outer.top && inner.top < outer.bottom;
}

function make(tag, name, text = "") {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.textContent = text;
  return made;
}
