import type { Task } from '../../task/task.js';
import { slicesOf } from '../pace/slices.js';
import type { RestoreFrom } from '../restore/restore-task.js';
import type { KeptFilling } from './kept-filling.js';

/** Records that are replayed in one go. */
const SLICE_RECORDS = 500;

/** Has a filler replay what lies before an offset. */
export async function fillUpTo(
  filler: Task,
  to: number,
  { log, signal, turn }: RestoreFrom,
  kept: KeptFilling | null = null,
): Promise<void> {
  for await (const batch of log.read(filler.partition, filler.nextOffset, { to, signal })) {
    for (const slice of slicesOf(batch, () => SLICE_RECORDS)) {
      await filler.replay(slice, signal);
      await kept?.keep(filler);
      await turn();
    }
  }
  signal.throwIfAborted();
  filler.replayedTo(to);
}
