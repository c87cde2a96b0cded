// Opens a call and goes straight to the wanted place: its worst moment, the words before its alert, the note's field.

/** Seconds of a call's worst moment that play by themselves. */
const WORST_SECONDS = 10;

export class Opening {
  #panel;
  #desk;
  #waiting;

  /** @param panel a Panel  @param desk a Desk  @param waiting gives the ids of the calls that wait, most urgent first */
  constructor(panel, desk, waiting) {
    [this.#panel, this.#desk, this.#waiting] = [panel, desk, waiting];
  }

  /** The next most urgent call that waits: plays its worst ten seconds and puts the focus on Take. False if none waits. */
  next() {
    const waiting = this.#waiting();
    const id = waiting[(waiting.indexOf(this.#panel.id) + 1) % waiting.length];
    if (!id) return false;
    this.#open(id, () => {
      this.#panel.playWorst(WORST_SECONDS);
      this.#desk.reach();
    });
    return true;
  }

  /** Plays the words before a call's alert. */
  hear(id) {
    this.#open(id, () => this.#panel.playLead());
  }

  /** Puts the cursor in the field for a note. */
  write(id) {
    this.#open(id, () => this.#desk.write());
  }

  /** Opens a call. Once it has been read, goes on, unless another one is open by then. */
  async #open(id, then) {
    const panel = this.#panel;
    if (panel.id !== id) {
      location.hash = `#/calls/${encodeURIComponent(id)}`;
      panel.follow();
    }
    await panel.ready;
    if (panel.id === id) then();
  }
}
