import type { Match, RuleSetOutput, Timeout } from '../../src/engine/index.js';
import { stepsText } from './texts.js';

/** What one pattern has found, as texts. */
export class Found {
  /** Number of the feed. */
  at = 0;
  private readonly all: { readonly at: number; readonly text: string }[] = [];
  private failedAt: number | null = null;

  match(match: Match): void {
    this.add(stepsText(match.steps));
  }

  timeout(timeout: Timeout): void {
    this.add(`timeout ${timeout.time} ${stepsText(timeout.steps)}`);
  }

  /** The run ends with an error of the skip strategy. */
  fail(): void {
    if (this.failedAt !== null) return;
    this.add('error');
    this.failedAt = this.at;
  }

  /** In order of emission. At an error: what came before. */
  inOrder(): readonly string[] {
    return this.all
      .filter(({ at, text }) => at !== this.failedAt || text === 'error')
      .map(({ at, text }) => `${at} ${text}`);
  }

  private add(text: string): void {
    if (this.failedAt === null) this.all.push({ at: this.at, text });
  }
}

/** What the patterns of a rule set have found. */
export class FoundBySlot implements RuleSetOutput {
  slot = 0;
  onTimeout?: (timeout: Timeout) => void;
  private readonly found: readonly Found[];

  constructor(patterns: number, timeouts: boolean) {
    this.found = Array.from({ length: patterns }, () => new Found());
    if (timeouts) this.onTimeout = (timeout) => this.found[this.slot]!.timeout(timeout);
  }

  /** Number of the feed. */
  set at(feed: number) {
    for (const found of this.found) found.at = feed;
  }

  onMatch(match: Match): void {
    this.found[this.slot]!.match(match);
  }

  onSkipError(): void {
    this.found[this.slot]!.fail();
  }

  onRunsDropped(runs: number): void {
    throw new Error(`${runs} runs were dropped: the case is too large`);
  }

  onMatchesDropped(matches: number): void {
    throw new Error(`${matches} matches were dropped: the case is too large`);
  }

  inOrder(): readonly (readonly string[])[] {
    return this.found.map((found) => found.inOrder());
  }

  /** The same, sorted. */
  texts(): readonly (readonly string[])[] {
    return this.inOrder().map((texts) => texts.toSorted());
  }
}
