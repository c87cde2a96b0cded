// The row that may not move: the one under the supervisor's pointer or with her focus. All others may move.

/** Time after which a resting pointer, or a focus without a key, no longer holds a row. */
const IDLE_MS = 30_000;

export class Hold {
  #pointer = { id: null, ms: 0 }; // the row under the pointer, and when the pointer last moved
  #focus = { id: null, ms: 0 };

  constructor(table) {
    const over = (event) => (this.#pointer = { id: rowOf(event), ms: Date.now() });
    const focused = (event) => (this.#focus = { id: rowOf(event), ms: Date.now() });
    for (const kind of ["pointerover", "pointermove", "pointerdown"]) table.addEventListener(kind, over, { passive: true });
    table.addEventListener("pointerleave", () => (this.#pointer = { id: null, ms: 0 }));
    for (const kind of ["focusin", "keydown"]) table.addEventListener(kind, focused);
    table.addEventListener("focusout", () => (this.#focus = { id: null, ms: 0 }));
  }

  /** The id of the held row; null for none. Of two, the one touched last. */
  get id() {
    const [pointer, focus] = [this.#pointer, this.#focus];
    const last = pointer.id && pointer.ms >= focus.ms ? pointer : focus;
    return Date.now() - last.ms < IDLE_MS ? last.id : null;
  }

  /** Releases the row at once, until the next movement. */
  release() {
    this.#pointer = this.#focus = { id: null, ms: 0 };
  }
}

const rowOf = ({ target }) => target.closest("tr[data-call-id]")?.dataset.callId ?? null;
