/** For how long records are processed in one go, and for how long other work of the thread waits at most, but for one such go. */
const GO_SECONDS = 0.002;
const TURN_SECONDS = 0.004;
const RECORDS_MIN = 50;
const RECORDS_MAX = 1000;
/** What a slice tells of the next one. */
const NEWS = 0.2;

/**
 * How many records a lane processes in one go, and when other work of its thread has its turn: questions about a state are answered between
 * two goes, and commits wait for what comes from the network. What a record costs differs a hundredfold between rule sets, so it is measured.
 * Results do not depend on it.
 */
export class Pace {
  private secondsEach = GO_SECONDS / 250;
  private turnAt = 0;

  constructor(
    private readonly stopwatch: () => number,
    private readonly turn: () => Promise<void>,
  ) {}

  readonly recordsMax = (): number =>
    Math.max(RECORDS_MIN, Math.min(RECORDS_MAX, Math.floor(GO_SECONDS / Math.max(this.secondsEach, 1e-9))));

  /** So many records took so long. */
  took(records: number, seconds: number): void {
    if (records > 0) this.secondsEach += NEWS * (seconds / records - this.secondsEach);
  }

  /** Resolves when other work has had its turn, where it has waited for long enough. */
  async rest(): Promise<void> {
    if (this.stopwatch() - this.turnAt < TURN_SECONDS) return;
    await this.turn();
    this.turnAt = this.stopwatch();
  }
}
