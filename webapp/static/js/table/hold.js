// Whether rows may move: not while the supervisor's pointer or keyboard is at work among them.

/** A pointer that has rested for so long, or a focus without a key, no longer holds the order. */
const IDLE_MS = 30_000;

export class Hold {
  #pointer = 0; // ms of the last movement inside; 0: outside
  #focus = 0; // ms of the last key or click inside; 0: outside

  constructor(element) {
    const moved = () => (this.#pointer = Date.now());
    for (const kind of ["pointerenter", "pointermove", "pointerdown"]) {
      element.addEventListener(kind, moved, { passive: true });
    }
    element.addEventListener("pointerleave", () => (this.#pointer = 0));
    element.addEventListener("focusin", () => (this.#focus = Date.now()));
    element.addEventListener("keydown", () => (this.#focus = Date.now()));
    element.addEventListener("focusout", () => (this.#focus = 0));
  }

  get active() {
    return Date.now() - Math.max(this.#pointer, this.#focus) < IDLE_MS;
  }

  /** Lets go at once, until the next movement. */
  release() {
    this.#pointer = this.#focus = 0;
  }
}
