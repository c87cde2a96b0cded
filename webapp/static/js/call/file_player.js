// Plays an ended call's recording, a file that the browser fetches in ranges. It has the methods of Player (player.js),
// and a speed; the browser keeps the pitch of the voices.

export class FilePlayer {
  oldest = 0;
  newest = 0;
  live = false;
  /** "stopped", "playing", "waiting" or "failing". */
  state = "stopped";
  #audio = new Audio();

  constructor() {
    for (const [event, state] of [["playing", "playing"], ["waiting", "waiting"], ["error", "failing"]]) {
      this.#audio.addEventListener(event, () => {
        if (this.state !== "stopped") this.state = state;
      });
    }
  }

  /** Begins to play the file at `address` from a second of the call. Must come from a press. */
  play(address, second) {
    if (this.#audio.getAttribute("src") !== address) this.#audio.setAttribute("src", address);
    this.state = "waiting";
    this.seek(second);
    this.#audio.play().catch(() => {}); // stopped again at once, or an error that was told
  }

  seek(second) {
    this.#audio.currentTime = second;
  }

  stop() {
    this.state = "stopped";
    this.#audio.pause();
  }

  /** Speed; 1: as spoken. */
  set speed(times) {
    [this.#audio.defaultPlaybackRate, this.#audio.playbackRate] = [times, times];
  }

  /** The second of the call that is heard now; null before the first. */
  get second() {
    return this.state === "stopped" || !this.#audio.readyState ? null : this.#audio.currentTime;
  }
}
