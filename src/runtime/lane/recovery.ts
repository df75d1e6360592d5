import { encodedEvents } from '../../engine/index.js';
import { type History, type JournalEntry, readJournal, START_OF_JOURNAL, type TickEntry } from '../journal/journal.js';
import type { ReadRuleSet, RuleSetVersion } from '../journal/rule-set-version.js';
import type { RecordDecoder } from '../ports/decoder.js';
import type { AssignedPartition, Log, LogRecord, TopicPartition } from '../ports/log.js';
import { partitionName } from '../ports/log.js';
import type { PartitionState, StateEntry } from '../ports/state-store.js';
import { type Cut, CutVersionError, decodeCut } from '../task/cut.js';
import { rawOf } from '../task/event-codec.js';
import type { Task } from '../task/task.js';

export class RetentionError extends Error {
  readonly code = 'STATE_BEFORE_RETENTION';
}

export interface Recovery {
  readonly log: Log;
  /** Where the partition's journal is. */
  readonly journal: TopicPartition;
  /** What is in force from now on. */
  readonly current: RuleSetVersion;
  readonly readRuleSet: ReadRuleSet;
  readonly makeTask: (ruleSet: RuleSetVersion) => Task;
  readonly signal: AbortSignal;
  readonly turn: () => Promise<void>;
  /** Says what is being done, for people. */
  readonly report: (text: string) => void;
  /** Records replayed, for metrics. */
  readonly onReplayed: (records: number) => void;
}

export interface Recovered {
  readonly task: Task;
  /** Where it goes on. */
  readonly position: number;
  /** The journal does not say yet that the current rule set is in force. */
  readonly rulesAreNew: boolean;
}

/** A stretch of the log under one rule set; `null`: not known, taken for the current one. */
interface Stretch {
  readonly digest: string | null;
  readonly ticks: readonly TickEntry[];
  readonly until: number;
  /** Number of the entry that ends it; the last stretch ends without one. */
  readonly endedBy: number | null;
}

/**
 * Brings a partition to its committed offset `C`. Restoring is replaying:
 *
 * 1. Read the cut at `L`: this store's own, else the newest copy kept elsewhere. Without one that can be used (none, another
 *    version's, or one ahead of `C`), begin empty at the first offset there is, and treat that as `L`.
 * 2. Put back its keys, and refill the order buffer from the records below `L` that it says were held back.
 * 3. Replay `[L, C)` with nothing given out (what follows from these records was given out before `C` was committed), under the
 *    rule sets and with the ticks that the journal says were in force then. Where a rule set ended, the state is stored as of
 *    there, and put back under the next.
 * 4. Go live at `C`, under the current rule set.
 *
 * A crash during any of these changes nothing: `C` is as before, and each cut that is stored is a state of that history.
 */
export async function recover(partition: AssignedPartition, state: PartitionState, by: Recovery): Promise<Recovered> {
  const { committed, endOffset, position } = partition;
  if ((committed ?? 0) > endOffset) {
    by.report(
      `${partitionName(partition)}: committed offset ${committed} lies beyond the end ${endOffset}: the topic was made anew; beginning at ${position}`,
    );
    await state.clear();
    return { task: begin(by.current, position, by), position, rulesAreNew: true };
  }
  const cut = await usableCut(partition, state, by);
  if (cut === null) await state.clear();
  const from = cut?.position ?? (committed === null ? position : partition.beginOffset);
  const end = committed ?? from;
  const history = await readJournal(by.log, by.journal, partition, cut?.journal.from ?? 0, by.signal);
  const after = cut?.journal.n ?? START_OF_JOURNAL.n;
  const entries = history.entries.filter(({ n, offset }) => n > after && offset >= from);
  const known = Math.max(after, entries.at(-1)?.n ?? 0, history.entries.at(-1)?.n ?? 0);
  // A tick at `C` may have been committed without what follows from it: that is given out again, and not taken for replayed.
  const open = entries.filter((entry): entry is TickEntry => isOpen(entry, end));
  const closed = entries.filter((entry) => !isOpen(entry, end));
  const stretches = stretchesOf(closed, cut?.rules ?? rulesAt(history, from), end);
  const task = await new Replayer(partition, state, history, by).run(stretches, open, cut, from);
  task.followed({ n: known, from: history.end });
  const last = history.entries.findLast((entry) => entry.kind === 'rules');
  return { task, position: end, rulesAreNew: (last?.digest ?? cut?.rules) !== by.current.digest };
}

const isOpen = (entry: JournalEntry, end: number): boolean =>
  entry.kind === 'tick' && !entry.given && entry.offset >= end;

/** The rule set that was in force where the log was at `offset`; `null`: the journal does not say. */
function rulesAt(history: History, offset: number): string | null {
  const entry = history.entries.findLast((e) => e.kind === 'rules' && e.offset <= offset);
  return entry?.kind === 'rules' ? entry.digest : null;
}

function stretchesOf(entries: readonly JournalEntry[], first: string | null, end: number): Stretch[] {
  const stretches: Stretch[] = [];
  let digest = first;
  let ticks: TickEntry[] = [];
  for (const entry of entries) {
    if (entry.kind === 'tick') ticks.push(entry);
    else if (entry.digest !== digest) {
      if (digest !== null) {
        stretches.push({ digest, ticks, until: entry.offset, endedBy: entry.n });
        ticks = [];
      }
      digest = entry.digest;
    }
  }
  return [...stretches, { digest, ticks, until: end, endedBy: null }];
}

/** Step 3 of the recovery of one partition. */
class Replayer {
  constructor(
    private readonly partition: AssignedPartition,
    private readonly state: PartitionState,
    private readonly history: History,
    private readonly by: Recovery,
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
      }
      if (next === undefined && version.digest === by.current.digest) return task;
      if (stretch.endedBy !== null) task.followed({ ...task.followedTo, n: stretch.endedBy });
      at = await this.store(task, next?.digest ?? by.current.digest);
      begin = stretch.until;
    }
    const task = by.makeTask(by.current);
    await this.restore(task, at!);
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
    const entries = await readEntries(state);
    await prepareSchemas(entries, task.decoder, by.signal);
    const current = task.restore(cut, entries);
    for await (const batch of by.log.read(partition, cut.refill, { to: cut.position, signal: by.signal })) {
      await task.refill(batch, by.signal);
    }
    if (current) return;
    // Keys are stored by the places of their rules, which are others now: all of them at once, in the place of all.
    const all = await task.snapshot().encode(by.turn);
    await state.write({ ...all, deletes: entries.map((entry) => entry.key) });
  }

  private async replay(task: Task, from: number, { until, ticks }: Stretch): Promise<void> {
    const { by, partition } = this;
    task.expectTicks(ticks);
    if (until > from) by.report(`${partitionName(partition)}: replaying ${until - from} records to restore state`);
    for await (const batch of by.log.read(partition, from, { to: until, signal: by.signal })) {
      await task.replay(batch, by.signal);
      by.onReplayed(batch.records.length);
    }
    task.replayedTo(until);
  }

  /** Stores all of a state as of the end of its rule set, for the next one to take up. */
  private async store(task: Task, rules: string): Promise<Cut> {
    const batch = await task.snapshot(rules).encode(this.by.turn);
    await this.state.write(batch);
    return decodeCut(batch.cut);
  }
}

async function usableCut(partition: AssignedPartition, state: PartitionState, by: Recovery): Promise<Cut | null> {
  const name = partitionName(partition);
  const wanted = partition.committed ?? Number.MAX_SAFE_INTEGER;
  let old: Cut | null = null;
  for (let more = true; more; more = (await state.restoreCopy?.(wanted)) ?? false) {
    const cut = await readCut(partition, state, by);
    if (cut !== null && cut.refill >= partition.beginOffset) return cut;
    old ??= cut;
  }
  if (old !== null) throw tooOld(name, old, partition);
  return null;
}

function tooOld(name: string, cut: Cut, partition: AssignedPartition): RetentionError {
  return new RetentionError(
    `${name}: state ends at offset ${cut.refill}, but retention has left only records from ${partition.beginOffset} on. ` +
      'Lengthen retention, or stop the service, move the state folder away and start again: it then rebuilds from what is left.',
  );
}

/** What is stored, if it can be used for this partition; but for records that are gone. */
async function readCut(partition: AssignedPartition, state: PartitionState, by: Recovery): Promise<Cut | null> {
  const bytes = await state.cut();
  if (bytes === null) return null;
  const name = partitionName(partition);
  try {
    const cut = decodeCut(bytes);
    if (partition.committed === null || cut.position <= partition.committed) return cut;
    by.report(
      `${name}: state is at offset ${cut.position}, ahead of the committed ${partition.committed}; rebuilding it`,
    );
  } catch (error) {
    if (!(error instanceof CutVersionError || error instanceof RangeError || error instanceof SyntaxError)) throw error;
    by.report(`${name}: stored state cannot be used (${error.message}); rebuilding it from the log`);
  }
  return null;
}

function begin(ruleSet: RuleSetVersion, position: number, by: Recovery): Task {
  const task = by.makeTask(ruleSet);
  task.beginAt(position);
  return task;
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
