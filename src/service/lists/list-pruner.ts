import { pause } from '../../runtime/backoff.js';
import { neededBodies } from '../../runtime/lists/needed-lists.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { Log } from '../../runtime/ports/log.js';
import type { BackgroundPart } from '../parts.js';
import type { ListControl } from './list-control.js';

export interface ListPrunerOptions {
  readonly control: ListControl;
  readonly log: Log;
  readonly clock: Clock;
  readonly journalTopic: string;
  /** Digests of the lists that a rule set asks, by name, from its body in the journal. */
  readonly listsIn: (body: Uint8Array) => Readonly<Record<string, string>>;
  readonly report: (text: string) => void;
  readonly warn: (text: string, trouble: Error) => void;
}

/** Old copies are looked for so often, and what is younger stays: it may be on its way into the journal. */
const EVERY_MS = 60 * 60_000;

/** Deletes old copies of whole lists that nothing can ask for any more. */
export function listPruner(options: ListPrunerOptions): BackgroundPart {
  const { control, log, clock, journalTopic, listsIn, report, warn } = options;
  const stopping = new AbortController();
  const prune = async (): Promise<void> => {
    const bodies = await neededBodies(log, journalTopic, stopping.signal);
    const needed = bodies.flatMap((body) => Object.entries(listsIn(body)).map(([list, digest]) => `${list} ${digest}`));
    const deleted = await control.prune(new Set(needed), clock.now() - EVERY_MS);
    if (deleted > 0) report(`${deleted} old copies of lists were deleted: nothing can ask for them any more`);
  };
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await pause(clock, EVERY_MS, stopping.signal);
      if (stopping.signal.aborted) return;
      await prune().catch((error: Error) => {
        if (!stopping.signal.aborted) warn('old copies of lists were not deleted; tried again in an hour', error);
      });
    }
  };
  let running: Promise<void> = Promise.resolve();
  return {
    name: 'list pruner',
    async start() {
      running = run();
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
