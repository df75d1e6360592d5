import { readJournal, START_OF_JOURNAL } from '../../journal/journal.js';
import type { RuleSetVersion } from '../../journal/rule-set-version.js';
import { openTick, rulesAt, startOf, stretchesOf } from '../../journal/stretches.js';
import type { AssignedPartition } from '../../ports/log.js';
import { partitionName } from '../../ports/log.js';
import type { PartitionState } from '../../ports/state-store.js';
import { type Cut, CutVersionError, decodeCut } from '../../task/stored/cut.js';
import type { Task } from '../../task/task.js';
import { Replayer, type ReplayerOptions } from './replayer.js';

export class RetentionError extends Error {
  readonly code = 'STATE_BEFORE_RETENTION';
}

export interface Recovery extends Omit<ReplayerOptions, 'givesOut'> {
  readonly pause: (ms: number) => Promise<void>;
  /** Whoever asked is about to stop: nothing is waited for any more. */
  readonly isEnding: () => boolean;
}

/** Records that are replayed rather than a copy of the state put in place. */
const COPY_AHEAD = 200_000;
const RETRY_MS = 1000;

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
 *    rule sets and with the ticks that the journal says were in force then. Where a rule set ended, the state goes over to the
 *    next one, as it does while the service runs.
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
    await (state.forgetCopies?.() ?? state.clear());
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
  const open = openTick(entries, end);
  const closed = open === null ? entries : entries.slice(0, -1);
  const stretches = stretchesOf(closed, cut?.rules ?? rulesAt(history, from), end);
  const task = await new Replayer(partition, state, history, by).run(stretches, open === null ? [] : [open], cut, from);
  task.followed({ n: known, from: history.end });
  const last = history.entries.findLast((entry) => entry.kind === 'rules');
  return { task, position: end, rulesAreNew: (last?.digest ?? cut?.rules) !== by.current.digest };
}

async function usableCut(partition: AssignedPartition, state: PartitionState, by: Recovery): Promise<Cut | null> {
  const wanted = partition.committed ?? Number.MAX_SAFE_INTEGER;
  const isThere = (cut: Cut | null): cut is Cut => cut !== null && cut.refill >= partition.beginOffset;
  const own = await readCut(partition, state, by);
  if (isThere(own) && !(await isFarBehind(own, wanted, state, by))) return own;
  let old = own;
  let replaced = false;
  while (await restoreCopy(wanted, partition, state, by)) {
    replaced = true;
    const cut = await readCut(partition, state, by);
    if (isThere(cut)) return cut;
    old ??= cut;
  }
  if (isThere(own) && !replaced) return own;
  if (old !== null) throw tooOld(partitionName(partition), old, partition);
  return null;
}

/** A partition may come back to where it was long ago. Replaying all since then takes longer than putting a copy in place. */
async function isFarBehind(own: Cut, wanted: number, state: PartitionState, by: Recovery): Promise<boolean> {
  try {
    const newest = (await state.newestCopy?.(wanted)) ?? null;
    return newest !== null && newest - own.position > COPY_AHEAD;
  } catch (error) {
    by.report(`copies of the state cannot be looked at, going on from what is here: ${(error as Error).message}`);
    return false;
  }
}

/** Waits for the place of the copies where it is away: beginning without one might miss what began before the first record there is. Tells of each trouble once. */
async function restoreCopy(
  wanted: number,
  partition: AssignedPartition,
  state: PartitionState,
  by: Recovery,
): Promise<boolean> {
  let told = '';
  while (state.restoreCopy !== undefined) {
    try {
      return await state.restoreCopy(wanted);
    } catch (error) {
      if (by.signal.aborted || by.isEnding()) throw error;
      const { message } = error as Error;
      if (message !== told)
        by.report(
          `${partitionName(partition)}: its state cannot be had from where copies are kept, tried again until it can: ${message}`,
        );
      told = message;
      await by.pause(RETRY_MS);
    }
  }
  return false;
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
