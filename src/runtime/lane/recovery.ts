import { encodedEvents } from '../../engine/index.js';
import type { RecordDecoder } from '../ports/decoder.js';
import type { AssignedPartition, Log, LogRecord } from '../ports/log.js';
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
  readonly decoder: RecordDecoder;
  readonly signal: AbortSignal;
  /** Says what is being done, for people. */
  readonly report: (text: string) => void;
  /** Records replayed, for metrics. */
  readonly onReplayed: (records: number) => void;
}

/**
 * Brings a task to the committed offset `C` of its partition. Restoring is replaying:
 *
 * 1. Read the cut at `L`. Without one that can be used (none, another version's, or one ahead of `C`), begin empty at the
 *    first offset there is, and treat that as `L`.
 * 2. Put back its keys, and refill the order buffer from the records below `L` that it says were held back.
 * 3. Replay `[L, C)` with nothing given out: what follows from these records was given out before `C` was committed.
 * 4. Go live at `C`.
 *
 * A crash during any of these changes nothing: the cut and `C` are as before. Answers with the offset to go on at.
 */
export async function recover(
  task: Task,
  partition: AssignedPartition,
  state: PartitionState,
  by: Recovery,
): Promise<number> {
  if ((partition.committed ?? 0) > partition.endOffset) return beginAnew(task, partition, state, by);
  const cut = await usableCut(partition, state, by);
  const committed = partition.committed;
  if (cut === null) {
    await state.clear();
    const from = committed === null ? partition.position : partition.beginOffset;
    task.beginAt(from);
    if (committed !== null && committed > from) await replay(task, partition, from, committed, by);
    return committed ?? partition.position;
  }
  if (cut.refill < partition.beginOffset) {
    throw new RetentionError(
      `${partitionName(partition)}: state ends at offset ${cut.refill}, but retention has left only records from ${partition.beginOffset} on. ` +
        'Lengthen retention, or stop the service, move the state folder away and start again: it then rebuilds from what is left.',
    );
  }
  const entries = await readEntries(state);
  await prepareSchemas(entries, by);
  if (!task.restore(cut, entries)) await state.clear();
  for await (const batch of by.log.read(partition, cut.refill, { to: cut.position, signal: by.signal })) {
    await task.refill(batch, by.signal);
  }
  const end = committed ?? cut.position;
  if (end > cut.position) await replay(task, partition, cut.position, end, by);
  return end;
}

/** The group has read further than the log goes: the topic was made anew, and what is known of it does not hold. */
async function beginAnew(
  task: Task,
  partition: AssignedPartition,
  state: PartitionState,
  by: Recovery,
): Promise<number> {
  const { committed, endOffset, position } = partition;
  by.report(
    `${partitionName(partition)}: committed offset ${committed} lies beyond the end ${endOffset}: the topic was made anew; beginning at ${position}`,
  );
  await state.clear();
  task.beginAt(position);
  return position;
}

async function usableCut(partition: AssignedPartition, state: PartitionState, by: Recovery): Promise<Cut | null> {
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

async function readEntries(state: PartitionState): Promise<StateEntry[]> {
  const entries: StateEntry[] = [];
  for await (const entry of state.entries()) entries.push(entry);
  return entries;
}

async function prepareSchemas(entries: readonly StateEntry[], by: Recovery): Promise<void> {
  const records: LogRecord[] = entries
    .flatMap((entry) => encodedEvents(entry.value))
    .map((bytes) => ({ offset: 0, timestamp: 0, key: null, value: rawOf(bytes), headers: null }));
  await by.decoder.prepare(records, by.signal);
}

async function replay(task: Task, partition: AssignedPartition, from: number, to: number, by: Recovery): Promise<void> {
  by.report(`${partitionName(partition)}: replaying ${to - from} records to restore state`);
  for await (const batch of by.log.read(partition, from, { to, signal: by.signal })) {
    await task.replay(batch, by.signal);
    by.onReplayed(batch.records.length);
  }
}
