import { encodedEvents } from '../../engine/index.js';
import { type History, readJournal, type TickEntry } from '../journal/journal.js';
import type { ReadRuleSet, RuleSetVersion } from '../journal/rule-set-version.js';
import type { RecordDecoder } from '../ports/decoder.js';
import { type Log, type LogRecord, partitionName, type TopicPartition } from '../ports/log.js';
import type { PartitionState, StateEntry } from '../ports/state-store.js';
import { type Cut, decodeCut } from '../task/cut.js';
import { rawOf } from '../task/event-codec.js';
import type { Task } from '../task/task.js';
import type { Stretch } from './stretches.js';

/** Entries that are put back in one go: some milliseconds. */
const ENTRIES_AT_ONCE = 512;

export interface ReplayerOptions {
  readonly log: Log;
  readonly journal: TopicPartition;
  /** What is in force after the last stretch. */
  readonly current: RuleSetVersion;
  readonly readRuleSet: ReadRuleSet;
  readonly makeTask: (ruleSet: RuleSetVersion) => Task;
  readonly signal: AbortSignal;
  readonly turn: () => Promise<void>;
  /** Says what is being done, for people. */
  readonly report: (text: string) => void;
  /** Records replayed. */
  readonly onReplayed: (records: number) => void;
  /** True: what is found is given out again, as it was when it was found first. */
  readonly givesOut?: boolean;
}

/**
 * Replays one partition's past: its records under the rule sets, and with the ticks, that the journal says were in force. Where
 * a rule set ended by an entry of the journal, the state is stored as of there, and put back under the next.
 */
export class Replayer {
  constructor(
    private readonly partition: TopicPartition,
    private readonly state: PartitionState,
    private readonly history: History,
    private readonly by: ReplayerOptions,
  ) {}

  /** `open`: ticks at the end of the last stretch, whose outcome is given out. */
  async run(stretches: readonly Stretch[], open: readonly TickEntry[], cut: Cut | null, from: number): Promise<Task> {
    const { by } = this;
    let at = cut;
    let begin = from;
    for (const [index, stretch] of stretches.entries()) {
      const version = await this.versionOf(stretch.digest);
      const task = by.makeTask(version);
      if (at === null) task.beginAt(begin);
      else await this.restore(task, at);
      await this.replay(task, begin, stretch);
      const next = stretches[index + 1];
      if (next === undefined) {
        task.expectTicks(open);
        task.repeatTicks();
        return version.digest === by.current.digest ? task : this.convert(task);
      }
      if (stretch.endedBy !== null) task.followed({ ...task.followedTo, n: stretch.endedBy });
      at = await this.store(task, next.digest ?? by.current.digest);
      begin = stretch.until;
    }
    throw new Error('a past without an end');
  }

  /**
   * Puts a state under the current rule set, in memory alone: the journal does not say yet that it is in force, nor need what
   * follows from open ticks be durable yet. A cut that said otherwise would be believed by who comes after a crash.
   */
  private async convert(before: Task): Promise<Task> {
    const { by, state, partition } = this;
    const { cut: bytes, puts, deletes } = await before.snapshot().encode(by.turn);
    const stored = await readEntries(state);
    const cut = decodeCut(bytes);
    const entries = changed(stored, puts, deletes);
    const task = by.makeTask(by.current);
    task.takeOver(
      cut,
      [],
      stored.map(({ key }) => key),
    );
    await this.putBack(task, cut, entries, false);
    for await (const batch of by.log.read(partition, cut.refill, { to: cut.position, signal: by.signal })) {
      await task.refill(batch, by.signal);
    }
    // Reading that was given up ends like reading that came to its end: a state without the rest would be a wrong one.
    by.signal.throwIfAborted();
    return task;
  }

  private async versionOf(digest: string | null): Promise<RuleSetVersion> {
    const { by, partition, history } = this;
    if (digest === null || digest === by.current.digest) return by.current;
    const body = history.bodies.get(digest) ?? (await this.oldBody(digest));
    try {
      if (body === undefined) throw new Error('the journal does not hold it');
      return await by.readRuleSet(body);
    } catch (error) {
      by.report(
        `${partitionName(partition)}: the rule set ${digest} that was in force cannot be used (${(error as Error).message}); ` +
          'what must be replayed is replayed under the present one, so patterns that changed may find less at first',
      );
      return by.current;
    }
  }

  /** It may have been written before what had to be read of the journal. */
  private async oldBody(digest: string): Promise<Uint8Array | undefined> {
    const { by, partition } = this;
    const whole = await readJournal(by.log, by.journal, partition, 0, by.signal);
    return whole.bodies.get(digest);
  }

  private async restore(task: Task, cut: Cut): Promise<void> {
    const { by, state, partition } = this;
    const current = task.restore(cut, []);
    const stored = await this.putBack(task, cut, state.entries(), current);
    for await (const batch of by.log.read(partition, cut.refill, { to: cut.position, signal: by.signal })) {
      await task.refill(batch, by.signal);
    }
    by.signal.throwIfAborted();
    if (current) return;
    // Keys are stored by the places of their rules, which are others now: all of them at once, in the place of all.
    const all = await task.snapshot().encode(by.turn);
    await state.write({ ...all, deletes: stored });
  }

  /**
   * Gives a task its keys, which may be a million: the lane's other work, heartbeats for one, has its turn meanwhile, and so has
   * reading what comes next. Answers with the keys where they are not `current`.
   */
  private async putBack(
    task: Task,
    cut: Cut,
    entries: AsyncIterable<StateEntry> | Iterable<StateEntry>,
    current: boolean,
  ): Promise<readonly Uint8Array[]> {
    const keys: Uint8Array[] = [];
    for await (const slice of slicesOfEntries(entries)) {
      await prepareSchemas(slice, task.decoder, this.by.signal);
      task.restoreMore(cut, slice, current);
      if (!current) for (const { key } of slice) keys.push(key);
      await this.by.turn();
    }
    return keys;
  }

  private async replay(task: Task, from: number, { until, ticks }: Stretch): Promise<void> {
    const { by, partition } = this;
    task.expectTicks(ticks);
    if (until > from) by.report(`${partitionName(partition)}: replaying ${until - from} records to restore state`);
    for await (const batch of by.log.read(partition, from, { to: until, signal: by.signal })) {
      if (by.givesOut === true) await task.process(batch, by.signal);
      else await task.replay(batch, by.signal);
      by.onReplayed(batch.records.length);
    }
    by.signal.throwIfAborted();
    task.replayedTo(until, by.givesOut !== true);
  }

  /** Stores all of a state as of the end of its rule set, for the next one to take up. */
  private async store(task: Task, rules: string): Promise<Cut> {
    const batch = await task.snapshot(rules).encode(this.by.turn);
    await this.state.write(batch);
    return decodeCut(batch.cut);
  }
}

/** Entries with changes that were not stored. */
function changed(
  stored: readonly StateEntry[],
  puts: readonly StateEntry[],
  deletes: readonly Uint8Array[],
): readonly StateEntry[] {
  const name = (key: Uint8Array): string => Buffer.from(key).toString('latin1');
  const over = new Set([...deletes, ...puts.map(({ key }) => key)].map(name));
  return [...stored.filter(({ key }) => !over.has(name(key))), ...puts];
}

async function* slicesOfEntries(
  entries: AsyncIterable<StateEntry> | Iterable<StateEntry>,
): AsyncGenerator<readonly StateEntry[]> {
  let slice: StateEntry[] = [];
  for await (const entry of entries) {
    if (slice.push(entry) < ENTRIES_AT_ONCE) continue;
    yield slice;
    slice = [];
  }
  if (slice.length > 0) yield slice;
}

async function readEntries(state: PartitionState): Promise<StateEntry[]> {
  const entries: StateEntry[] = [];
  for await (const entry of state.entries()) entries.push(entry);
  return entries;
}

async function prepareSchemas(
  entries: readonly StateEntry[],
  decoder: RecordDecoder,
  signal: AbortSignal,
): Promise<void> {
  const records: LogRecord[] = entries
    .flatMap((entry) => encodedEvents(entry.value))
    .map((bytes) => ({ offset: 0, timestamp: 0, key: null, value: rawOf(bytes), headers: null }));
  await decoder.prepare(records, signal);
}
