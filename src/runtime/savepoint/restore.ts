import {
  bodyRecord,
  entryRecord,
  JOURNAL_RETENTION_MS,
  type JournalEntry,
  type JournalPlace,
  journalPartition,
  readJournal,
} from '../journal/journal.js';
import type { Clock } from '../ports/clock.js';
import {
  FencedError,
  type GroupMember,
  type Log,
  type OffsetCommit,
  type OutgoingRecord,
  partitionName,
  TransactionAbortedError,
  type TransactionalProducer,
} from '../ports/log.js';
import type { PartitionState, StateEntry, StateStore } from '../ports/state-store.js';
import { encodeCut } from '../task/stored/cut.js';
import type { PlannedPartition, RestorePlan } from './plan.js';
import { asSoleMember, busy } from './sole-member.js';

export interface RestoreOptions {
  readonly log: Log;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly group: string;
  /** `partitions`: where it has to be made. */
  readonly journal: { readonly name: string; readonly partitions: number };
  /** How long running members of the group are waited for. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
  /** Keys put back so far. */
  readonly onProgress?: (keys: number) => void;
}

/** A batch for the state store, at most. */
const BATCH_ENTRIES = 1000;
const BATCH_BYTES = 4 * 1024 * 1024;
const ABORTS_MAX = 5;
/** No cut of any version: what is stored under it is not whole. */
const UNFINISHED = Uint8Array.of(0, 0);

/**
 * Puts savepoints in the place of a service's state and offsets. The service must have stopped.
 *
 * 1. Become the only member of the group, so that nobody works on these partitions meanwhile.
 * 2. Put in the keys, in the place of all there is, under a cut that is none. A crash up to the end of this leaves state that a start
 *    does not take for its own: it says so, and rebuilds it from the log.
 * 3. Put in the cuts. A crash after it: the state is right, and older offsets than the cut's are refused with it.
 * 4. In one transaction: the rule sets and what the journal says of the stretch that is replayed; records that were held back; the
 *    offsets. All entries that the journal has already count as followed: they may be of a past that is left here.
 *
 * Doing it again does the same: after a crash it must be done again.
 *
 * @throws SavepointError `SAVEPOINT_GROUP_BUSY`; what the log and the store throw.
 */
export async function restoreSavepoint(plan: RestorePlan, options: RestoreOptions): Promise<void> {
  const { log, journal } = options;
  await log.createTopic({ ...journal, retentionMs: JOURNAL_RETENTION_MS });
  const journalPartitions = (await log.topics()).find(({ name }) => name === journal.name)!.partitions;
  await asSoleMember(options, plan.partitions, async (member) => {
    const states = await putKeys(plan, options);
    const records: OutgoingRecord[] = [];
    const written = new Set<string>();
    for (const [index, planned] of plan.partitions.entries()) {
      const at = journalPartition(journal.name, journalPartitions, planned);
      const { entries, end } = await readJournal(log, at, planned, 0, options.signal);
      // Number 1 is where the group began to read: it is not here.
      const place = { n: Math.max(1, entries.at(-1)?.n ?? 0, planned.cut.journal.n), from: end };
      for (const entry of journalEntries(planned, place)) {
        const digest = entry.kind === 'rules' ? entry.digest : null;
        const body = digest === null ? undefined : plan.ruleSets.get(digest);
        if (body !== undefined && !written.has(`${at.partition} ${digest}`))
          records.push(bodyRecord(at, digest!, body));
        written.add(`${at.partition} ${digest}`);
        records.push(entryRecord(at, planned, entry));
      }
      const cut = encodeCut({ ...planned.cut, journal: place });
      await states[index]!.write({ position: planned.cut.position, cut, puts: [], deletes: [] });
    }
    const offsets = plan.partitions.map(({ topic, partition, committed }) => ({ topic, partition, offset: committed }));
    await commit(member, [...plan.heldBack, ...records], offsets, options);
  });
}

/** What is in force at the cut, and then what the savepoint says, with the numbers that follow. */
function journalEntries({ cut, journal }: PlannedPartition, place: JournalPlace): JournalEntry[] {
  const rules = cut.rules === null ? [] : [{ kind: 'rules' as const, n: 0, offset: cut.position, digest: cut.rules }];
  return [...rules, ...journal].map((entry, index) => ({ ...entry, n: place.n + 1 + index }));
}

async function putKeys(plan: RestorePlan, options: RestoreOptions): Promise<readonly PartitionState[]> {
  const writers: StateWriter[] = [];
  for (const planned of plan.partitions) {
    const state = await options.store.partition(planned);
    // Copies elsewhere may be of a past that is left here.
    if (state.forgetCopies === undefined) await state.clear();
    else await state.forgetCopies();
    writers.push(new StateWriter(state, planned.cut.position));
  }
  let keys = 0;
  for (const [file, { parts }] of plan.files.entries()) {
    for await (const part of parts()) {
      options.signal.throwIfAborted();
      if (part.kind !== 'entries') continue;
      for (const entry of part.entries) {
        const target = plan.targetOf(file, part.partition, entry);
        if (target !== null) await writers[target]!.add(entry);
      }
      keys += part.entries.length;
      options.onProgress?.(keys);
    }
  }
  for (const writer of writers) await writer.flush();
  return writers.map(({ state }) => state);
}

class StateWriter {
  private puts: StateEntry[] = [];
  private bytes = 0;

  constructor(
    readonly state: PartitionState,
    private readonly position: number,
  ) {}

  async add(entry: StateEntry): Promise<void> {
    this.puts.push(entry);
    this.bytes += entry.key.length + entry.value.length;
    if (this.puts.length >= BATCH_ENTRIES || this.bytes >= BATCH_BYTES) await this.flush();
  }

  async flush(): Promise<void> {
    const { puts, position } = this;
    this.puts = [];
    this.bytes = 0;
    await this.state.write({ position, cut: UNFINISHED, puts, deletes: [] });
  }
}

async function commit(
  member: GroupMember,
  records: readonly OutgoingRecord[],
  offsets: readonly OffsetCommit[],
  { log, group }: RestoreOptions,
): Promise<void> {
  const transactions = await log.transactionalProducer();
  try {
    await committed(transactions, member, records, offsets);
  } catch (error) {
    if (error instanceof FencedError) throw busy(group, offsets.map(partitionName), error);
    throw error;
  } finally {
    await transactions.close();
  }
}

async function committed(
  transactions: TransactionalProducer,
  ...what: Parameters<TransactionalProducer['commit']>
): Promise<void> {
  for (let aborts = 1; ; aborts++) {
    try {
      return await transactions.commit(...what);
    } catch (error) {
      if (!(error instanceof TransactionAbortedError) || aborts === ABORTS_MAX) throw error;
    }
  }
}
