import type { Consideration, Elsewhere, Question } from '../../runtime/detector.js';
import { UnreadableError } from '../../runtime/detector.js';
import { partitionOfKey } from '../../runtime/partitioner.js';
import type { Log } from '../../runtime/ports/log.js';
import { partitionName } from '../../runtime/ports/log.js';
import { invalidInput, Problem, unavailable } from '../problems/problem.js';
import type { TransactionWriter } from '../transactions/transaction-writer.js';

export interface DecisionsOptions {
  readonly log: Pick<Log, 'topics'>;
  readonly writer: Pick<TransactionWriter, 'recordOf'>;
  readonly consider: (question: Question) => Promise<Consideration | Elsewhere>;
  /** Asks the instance at a URL. `null`: it does not own the partition, or does not answer. */
  readonly askInstance: (url: string, question: Question) => Promise<Consideration | null>;
  /** The URL of this instance; absent: it has none. */
  readonly ownUrl?: string;
  /** Milliseconds, and only for differences. */
  readonly now: () => number;
  /** Seconds, and only for differences: finer than `now`. */
  readonly stopwatch: () => number;
  /** Told of each decision, how it ended and how many seconds it took. */
  readonly onDecision: (outcome: DecisionOutcome, seconds: number) => void;
}

/**
 * How a decision ended: with an answer; with one in which some partitions had no say; refused for what was sent; without its state or
 * the log; in a failure of our own.
 */
export type DecisionOutcome = 'answered' | 'partial' | 'refused' | 'away' | 'failed';

/** What a transaction would do, as all partitions that it would come to tell it. */
export interface Decision extends Omit<Consideration, 'forwards'> {
  /** The largest score of the alerts; 0: there are none. */
  readonly score: number;
  /**
   * Partitions of internal topics that have a say, but did not answer: the rules whose keys they have are not in the answer. Empty: the
   * answer is whole.
   */
  readonly unanswered: readonly string[];
}

/** How long the numbers of partitions are taken for granted. */
const TOPICS_KEPT_MS = 10_000;

/** Asks the partitions' own state what a transaction would do. Nothing is written. */
export class Decisions {
  private partitions: ReadonlyMap<string, number> = new Map();
  private readAt = Number.NEGATIVE_INFINITY;
  private reading: Promise<void> | null = null;

  constructor(private readonly options: DecisionsOptions) {}

  /** `stream`: by its name; absent: the first. Throws problems. */
  async decide(transaction: unknown, stream?: string): Promise<Decision> {
    const { stopwatch, onDecision } = this.options;
    const began = stopwatch();
    try {
      const decision = await this.decided(transaction, stream);
      onDecision(decision.unanswered.length === 0 ? 'answered' : 'partial', stopwatch() - began);
      return decision;
    } catch (error) {
      onDecision(outcomeOf(error), stopwatch() - began);
      throw error;
    }
  }

  private async decided(transaction: unknown, stream: string | undefined): Promise<Decision> {
    const { topic, key, value } = await this.options.writer.recordOf(transaction, stream);
    if (key === null) {
      throw invalidInput(
        'It cannot be told which partition it would be in.',
        [{ path: '', message: 'expected a key' }],
        422,
      );
    }
    const partition = partitionOfKey(key, await this.partitionsOf(topic));
    const own = await this.ask({ topic, partition, key, value });
    if (own === null) {
      const state = `The state of ${partitionName({ topic, partition })}`;
      throw unavailable(
        'NOT_HERE',
        `${state} is being restored, or is with an instance that does not answer. Ask again in a moment.`,
      );
    }
    const { others, unanswered } = await this.askAll(own.forwards);
    const whole = [own, ...others];
    const alerts = whole.flatMap((part) => part.alerts);
    return {
      asOf: own.asOf,
      isLate: own.isLate,
      waiting: whole.reduce((sum, { waiting }) => sum + waiting, 0),
      score: alerts.reduce((most, { score }) => Math.max(most, score), 0),
      alerts,
      advances: whole.flatMap(({ advances }) => advances),
      unanswered,
    };
  }

  /** Asks all that an event would be forwarded to, and those that it would be passed on to from there. */
  private async askAll(
    forwards: readonly Question[],
  ): Promise<{ readonly others: readonly Consideration[]; readonly unanswered: readonly string[] }> {
    const answers = await Promise.all(forwards.map((question) => this.ask(question)));
    const others = answers.filter((answer) => answer !== null);
    const unanswered = forwards.filter((_, i) => answers[i] === null).map(partitionName);
    const next = others.flatMap((answer) => answer.forwards);
    if (next.length === 0) return { others, unanswered };
    const behind = await this.askAll(next);
    return { others: [...others, ...behind.others], unanswered: [...unanswered, ...behind.unanswered] };
  }

  /** From the state that is here alone, for another instance that has found it to be here. Throws problems. */
  async answer(question: Question): Promise<Consideration> {
    const answer = await this.considered(question);
    if ('elsewhere' in answer) throw unavailable('NOT_HERE', `The state of ${partitionName(question)} is not here.`);
    return answer;
  }

  /** Asks whoever owns the partition; `null`: nobody answers. Throws problems. */
  async ask(question: Question): Promise<Consideration | null> {
    const answer = await this.considered(question);
    if (!('elsewhere' in answer)) return answer;
    const { askInstance, ownUrl } = this.options;
    const { elsewhere } = answer;
    return elsewhere === null || elsewhere === ownUrl ? null : askInstance(elsewhere, question);
  }

  private async considered(question: Question): Promise<Consideration | Elsewhere> {
    try {
      return await this.options.consider(question);
    } catch (cause) {
      if (cause instanceof UnreadableError) {
        throw invalidInput('It would be a dead letter.', [{ path: '', message: cause.message }], 422);
      }
      throw unavailable('NOT_HERE', 'The lane that has its state ended; ask again in a moment.', cause);
    }
  }

  /** Names of all topics. Throws problems. */
  async topicNames(): Promise<readonly string[]> {
    await this.readTopics(null);
    return [...this.partitions.keys()];
  }

  /** How many partitions a topic has. Throws problems. */
  async partitionsOf(topic: string): Promise<number> {
    await this.readTopics(topic);
    const partitions = this.partitions.get(topic);
    if (partitions === undefined) throw unavailable('NOT_HERE', `There is no topic ${topic} yet.`);
    return partitions;
  }

  /**
   * Topics are asked for again now and then, and nobody waits for that but who asks for one that is not known: the answer may take the
   * broker longer than a decision may take. While the log does not answer, the numbers of before hold.
   */
  private async readTopics(asked: string | null): Promise<void> {
    const isKnown = this.partitions.size > 0 && (asked === null || this.partitions.has(asked));
    if (isKnown && this.options.now() - this.readAt < TOPICS_KEPT_MS) return;
    this.reading ??= this.readNow().finally(() => {
      this.reading = null;
    });
    if (!isKnown) return this.reading;
    this.reading.catch(() => undefined);
  }

  private async readNow(): Promise<void> {
    const { log, now } = this.options;
    this.readAt = now();
    try {
      this.partitions = new Map((await log.topics()).map(({ name, partitions }) => [name, partitions]));
    } catch (cause) {
      throw unavailable('LOG_AWAY', 'The log does not answer.', cause);
    }
  }
}

function outcomeOf(error: unknown): DecisionOutcome {
  if (!(error instanceof Problem)) return 'failed';
  const { status } = error.body;
  if (status < 500) return 'refused';
  return status === 503 ? 'away' : 'failed';
}
