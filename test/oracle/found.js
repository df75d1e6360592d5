import { stepsText } from './texts.js';
/** What one pattern has found, as texts. */
export class Found {
  /** Number of the feed. */
  at = 0;
  all = [];
  failedAt = null;
  match(match) {
    this.add(stepsText(match.steps));
  }
  timeout(timeout) {
    this.add(`timeout ${timeout.time} ${stepsText(timeout.steps)}`);
  }
  /** The run ends with an error of the skip strategy. */
  fail() {
    if (this.failedAt !== null) return;
    this.add('error');
    this.failedAt = this.at;
  }
  /** In order of emission. At an error: what came before. */
  inOrder() {
    return this.all
      .filter(({ at, text }) => at !== this.failedAt || text === 'error')
      .map(({ at, text }) => `${at} ${text}`);
  }
  add(text) {
    if (this.failedAt === null) this.all.push({ at: this.at, text });
  }
}
/** What the patterns of a rule set have found. */
export class FoundBySlot {
  slot = 0;
  onTimeout;
  found;
  constructor(patterns, timeouts) {
    this.found = Array.from({ length: patterns }, () => new Found());
    if (timeouts) this.onTimeout = (timeout) => this.found[this.slot].timeout(timeout);
  }
  /** Number of the feed. */
  set at(feed) {
    for (const found of this.found) found.at = feed;
  }
  onMatch(match) {
    this.found[this.slot].match(match);
  }
  onSkipError() {
    this.found[this.slot].fail();
  }
  onRunsDropped(runs) {
    throw new Error(`${runs} runs were dropped: the case is too large`);
  }
  onMatchesDropped(matches) {
    throw new Error(`${matches} matches were dropped: the case is too large`);
  }
  inOrder() {
    return this.found.map((found) => found.inOrder());
  }
  /** The same, sorted. */
  texts() {
    return this.inOrder().map((texts) => texts.toSorted());
  }
}
