import type { JournalEntry } from '../../../src/runtime/journal/journal.js';
import type { RuleSetVersion } from '../../../src/runtime/journal/rule-set-version.js';
import { deadLetter, lateRecord } from '../../../src/runtime/lane/commit/rejected.js';
import type { Log, LogRecord, RecordBatch } from '../../../src/runtime/ports/log.js';
import type { StateBatch, StateEntry } from '../../../src/runtime/ports/state-store.js';
import { type Cut, decodeCut } from '../../../src/runtime/task/stored/cut.js';
import { Task, type TaskOutput } from '../../../src/runtime/task/task.js';
import { stream } from '../../harness/lane-kit.js';
import { compiledAlone, STOPPED } from './compiled.js';
import { type Outputs, outputsOf, readTopic, show } from './outputs.js';
import { VERSIONS } from './versions.js';

const text = new TextEncoder();
const utf8 = new TextDecoder();
const { signal } = new AbortController();

/** What the journal and the records of a partition say that must have been given out. */
export interface Replayed {
  readonly expected: Outputs;
  /**
   * What a process may have given out at once, without being able to commit it, that another one with other rules did not find
   * again: at least once, that is so.
   */
  readonly overtaken: Outputs;
  readonly ticks: number;
  /** Changes of rules after the first entry. */
  readonly changes: number;
  /** Changes that filled rules from the log. */
  readonly fills: number;
  /** Digests of the rule sets with which partitions began. */
  readonly begunWith: ReadonlySet<string>;
  readonly problems: readonly string[];
}

/** Replays all partitions, each from its first record to its last with nothing in between, as simply as that can be done. */
export async function replayAll(log: Log, partitions: number): Promise<Replayed> {
  const replay = new Replay(log);
  for (let partition = 0; partition < partitions; partition++) await replay.partition(partition);
  return replay;
}

class Replay implements Replayed {
  readonly expected: Outputs = new Map();
  readonly overtaken: Outputs = new Map();
  readonly problems: string[] = [];
  readonly begunWith = new Set<string>();
  ticks = 0;
  changes = 0;
  fills = 0;

  constructor(private readonly log: Log) {}

  async partition(partition: number): Promise<void> {
    const records = await readTopic(this.log, 'rows', partition);
    const entries = await this.journal(partition);
    const [first, ...rest] = entries;
    if (first?.kind !== 'rules' || first.offset > (records[0]?.offset ?? Number.POSITIVE_INFINITY)) {
      if (records.length > 0) this.problems.push(`rows-${partition}: the journal does not begin with a rule set`);
      return;
    }
    this.begunWith.add(first.digest);
    const past = new Past(this, partition, records, versionOf(first.digest));
    for (const entry of rest) {
      await past.upTo(entry.offset);
      if (entry.kind === 'tick') {
        this.ticks++;
        past.task.tick(entry);
      } else if (entry.digest !== past.version.digest) {
        this.changes++;
        await past.change(versionOf(entry.digest), entry.fill);
      }
    }
    await past.upTo(Number.POSITIVE_INFINITY);
  }

  private async journal(partition: number): Promise<JournalEntry[]> {
    const topics = await this.log.topics();
    if (!topics.some(({ name }) => name === 'journal')) return [];
    const records = await readTopic(this.log, 'journal');
    return records
      .filter(({ key }) => utf8.decode(key!) === `rows-${partition}`)
      .map(({ value }) => JSON.parse(utf8.decode(value!)) as JournalEntry);
  }
}

function versionOf(digest: string): RuleSetVersion {
  return VERSIONS.find((version) => version.digest === digest)!;
}

/** One partition on its way. */
class Past {
  task: Task;
  private next = 0;
  /** What a state store would hold. */
  private kept = new Map<string, StateEntry>();

  constructor(
    private readonly replay: Replay,
    private readonly of: number,
    private readonly records: readonly LogRecord[],
    public version: RuleSetVersion,
  ) {
    this.task = this.make(version, replay.expected);
    this.task.beginAt(0);
  }

  async upTo(offset: number): Promise<void> {
    const found = this.records.findIndex((record) => record.offset >= offset);
    const end = found < 0 ? this.records.length : found;
    if (end <= this.next) return;
    await this.task.process(this.batch(this.next, end), signal);
    this.next = end;
  }

  /** All of the state goes over at once, and through bytes into a task that knows the new rules alone. */
  async change(version: RuleSetVersion, fill: number | undefined): Promise<void> {
    this.keep(await this.task.snapshot().encode(async () => undefined));
    const before = decodeCut(this.lastCut);
    await this.runOn(this.version, before);
    this.task.switchTo(version, fill === undefined ? null : await this.filled(version, fill));
    while (!this.task.handOver());
    this.keep(await this.task.snapshot().encode(async () => undefined));
    const cut = decodeCut(this.lastCut);
    const next = this.make(version, this.replay.expected);
    next.restore(cut, this.entries());
    while (!next.handOver());
    if (next.isStoredOtherwise) this.replay.problems.push('keys were stored under rules that are over');
    await this.refill(next, cut);
    this.task = next;
    this.version = version;
  }

  /** The past from `fill` on, for the rules that ask for it. */
  private async filled(version: RuleSetVersion, fill: number): Promise<Task> {
    const filler = this.task.fillerFor(version)!;
    const records = this.records.slice(0, this.next).filter(({ offset }) => offset >= fill);
    filler.beginAt(fill);
    if (records.length > 0) await filler.replay({ ...this.batch(0, this.next), records }, signal);
    filler.replayedTo(this.task.nextOffset);
    this.replay.fills++;
    return filler;
  }

  private async refill(task: Task, cut: Cut): Promise<void> {
    const records = this.records.filter(({ offset }) => offset >= cut.refill && offset < cut.position);
    if (records.length > 0) await task.refill({ ...this.batch(0, 0), records }, signal);
  }

  private lastCut: Uint8Array = new Uint8Array();

  private keep({ cut, puts, deletes }: StateBatch): void {
    for (const key of deletes) this.kept.delete(Buffer.from(key).toString('hex'));
    for (const entry of puts) this.kept.set(Buffer.from(entry.key).toString('hex'), entry);
    this.lastCut = cut;
  }

  /** In order of key bytes. */
  private entries(): StateEntry[] {
    return [...this.kept].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
  }

  /** What the rules that are over now would have found in the records after. */
  private async runOn(version: RuleSetVersion, cut: Cut): Promise<void> {
    const task = this.make(version, this.replay.overtaken);
    task.restore(cut, this.entries());
    while (!task.handOver());
    await this.refill(task, cut);
    if (this.next < this.records.length) await task.process(this.batch(this.next, this.records.length), signal);
  }

  private batch(from: number, to: number): RecordBatch {
    const records = this.records.slice(from, to);
    const nextOffset = to === 0 ? 0 : this.records[to - 1]!.offset + 1;
    return { topic: 'rows', partition: this.of, records, nextOffset, endOffset: nextOffset };
  }

  private make(version: RuleSetVersion, to: Outputs): Task {
    const partition = { topic: 'rows', partition: this.of };
    const output: TaskOutput = {
      onAlert: (alert, key, traceparent) => {
        const headers = traceparent === null ? {} : { headers: new Map([['traceparent', text.encode(traceparent)]]) };
        outputsOf(to, 'alerts', this.of).push(show({ key, value: text.encode(JSON.stringify(alert)), ...headers }));
      },
      onDeadLetter: (record, failure) =>
        void outputsOf(to, 'dead-letters', this.of).push(show(deadLetter('', record, partition, failure))),
      onLate: (record, eventTime, watermark) =>
        void outputsOf(to, 'late', this.of).push(show(lateRecord('', record, partition, eventTime, watermark))),
      onMatch: () => undefined,
      onRunsDropped: () => undefined,
      onMatchesDropped: () => undefined,
    };
    return new Task({ partition, stream, ruleSet: version, clock: STOPPED, output, compilers: compiledAlone(version) });
  }
}
