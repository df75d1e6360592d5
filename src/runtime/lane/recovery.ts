import { readJournal, START_OF_JOURNAL, type TickEntry } from '../journal/journal.js';
import type { RuleSetVersion } from '../journal/rule-set-version.js';
import type { AssignedPartition } from '../ports/log.js';
import { partitionName } from '../ports/log.js';
import type { PartitionState } from '../ports/state-store.js';
import { type Cut, CutVersionError, decodeCut } from '../task/cut.js';
import type { Task } from '../task/task.js';
import { Replayer, type ReplayerOptions } from './replayer.js';
import { isOpen, rulesAt, startOf, stretchesOf } from './stretches.js';

export class RetentionError extends Error {
  readonly code = 'STATE_BEFORE_RETENTION';
}

export type Recovery = Omit<ReplayerOptions, 'givesOut'>;

export interface Recovered {
  readonly task: Task;
  /** Where it goes on. */
  readonly position: number;
  /** The journal does not say yet that the current rule set is in force. */
  readonly rulesAreNew: boolean;
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
  const history = await readJournal(by.log, by.journal, partition, cut?.journal.from ?? 0, by.signal);
  const from = cut?.position ?? (committed === null ? position : Math.max(partition.beginOffset, startOf(history)));
  const end = committed ?? from;
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
