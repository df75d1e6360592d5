import { Counter, Histogram, type Registry } from 'prom-client';
import type { DecisionOutcome } from '../decisions/decisions.js';

/** Around the aim of 10 ms, and up to what an instance that does not answer is waited for. */
const SECONDS = [0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const OUTCOMES: readonly DecisionOutcome[] = ['answered', 'partial', 'refused', 'away', 'failed'];

/** What was asked of `POST /v1/decisions`, and how long it took. */
export class DecisionMetrics {
  private readonly seconds: Histogram;
  private readonly total: Counter<'outcome'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.seconds = new Histogram({
      name: 'stakeout_decision_seconds',
      help: 'Time of a decision that was answered, in whole or in part: from its parsed body until its answer is whole',
      buckets: SECONDS,
      registers,
    });
    this.total = new Counter({
      name: 'stakeout_decisions_total',
      help: 'Decisions by outcome; partial: some rules had no say; refused: what was sent does not hold; away: its state or the log did not answer',
      labelNames: ['outcome'],
      registers,
    });
    for (const outcome of OUTCOMES) this.total.inc({ outcome }, 0);
  }

  /** What is refused at once would make decisions look fast. */
  observe(outcome: DecisionOutcome, seconds: number): void {
    this.total.inc({ outcome });
    if (outcome === 'answered' || outcome === 'partial') this.seconds.observe(seconds);
  }
}
