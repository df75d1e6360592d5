import { blocksOf } from '../../ports/entry-block.js';
import type { Log } from '../../ports/log.js';
import type { PartitionState } from '../../ports/state-store.js';
import type { Cut } from '../../task/stored/cut.js';
import type { Task } from '../../task/task.js';
import { StoredSchemas } from './stored-schemas.js';

/** Entries that are put back in one go: some milliseconds. */
const ENTRIES_AT_ONCE = 512;

export interface RestoreFrom {
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly turn: () => Promise<void>;
}

/** Puts a cut back, with its keys, and what the order buffer held. */
export async function restoreTask(
  task: Task,
  cut: Cut,
  state: PartitionState,
  { log, signal, turn }: RestoreFrom,
): Promise<void> {
  task.restore(cut);
  await putBack(task, state, signal, turn);
  for await (const batch of log.read(task.partition, cut.refill, { to: cut.position, signal })) {
    await task.refill(batch, signal);
  }
  // Reading that was given up ends like reading that came to its end: a state without the rest would be a wrong one.
  signal.throwIfAborted();
  // Keys are stored by the places of their rules, which are others now.
  if (task.isStoredOtherwise) await state.write(await task.snapshot().encode(turn));
}

/**
 * Gives a task its keys, which may be a million: the lane's other work, heartbeats for one, has its turn meanwhile, and so has
 * reading what comes next. None is read before it is needed.
 */
async function putBack(
  task: Task,
  state: PartitionState,
  signal: AbortSignal,
  turn: () => Promise<void>,
): Promise<void> {
  const schemas = new StoredSchemas(task.decoder, signal);
  for await (const block of state.blocks?.() ?? blocksOf(state.entries(), ENTRIES_AT_ONCE)) {
    await schemas.prepare(block);
    task.restoreMore(block);
    await turn();
  }
}
