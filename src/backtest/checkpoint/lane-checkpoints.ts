import { deserialize, serialize } from 'node:v8';
import type { Collector, CollectorState } from '../findings/collector.js';
import type { LaneResult } from '../findings/lane-result.js';
import type { RunCheckpoints, RunState } from '../run/run-checkpoints.js';
import type { Checkpoints } from './checkpoints.js';

/** The first piece of what a lane keeps: the others are events and keys of its run. */
type Head =
  | { readonly run: RunState; readonly collector: CollectorState; readonly seconds: number }
  /** It was over; another lane may not have been. */
  | { readonly result: LaneResult };

/** How far an attempt was when it was cut short. */
export interface Resumed {
  readonly events: number;
  /** It was over. */
  readonly result: LaneResult | null;
}

/** What one lane keeps: how its run stands, with what its alerts have accused so far. */
export class LaneCheckpoints {
  private constructor(
    private readonly checkpoints: Checkpoints,
    private readonly head: Head | null,
    private readonly pieces: readonly Uint8Array[],
  ) {}

  static async open(checkpoints: Checkpoints): Promise<LaneCheckpoints> {
    const [head, ...pieces] = (await checkpoints.load()) ?? [];
    return new LaneCheckpoints(checkpoints, head === undefined ? null : (deserialize(head) as Head), pieces);
  }

  /** `null`: it begins at the beginning. */
  get resumed(): Resumed | null {
    const { head } = this;
    if (head === null) return null;
    return 'result' in head
      ? { events: head.result.run.events, result: head.result }
      : { events: head.run.totals.events, result: null };
  }

  /** Seconds that earlier attempts took up to where this one goes on. */
  get secondsBefore(): number {
    const { head } = this;
    return head !== null && 'run' in head ? head.seconds : 0;
  }

  /** For a run that `collector` listens to, which is given back what it had. `now`: a clock in seconds. */
  forRun(collector: Collector, now: () => number): RunCheckpoints {
    const { checkpoints, head, pieces, secondsBefore } = this;
    const started = now();
    const isUnderWay = head !== null && 'run' in head;
    if (isUnderWay) collector.goOnFrom(head.collector);
    return {
      from: isUnderWay ? { state: head.run, pieces } : null,
      isDue: () => checkpoints.isDue(),
      save: (run, of) => {
        const seconds = secondsBefore + now() - started;
        return checkpoints.save(piecesOf({ run, collector: collector.state(), seconds }, of));
      },
    };
  }

  /** Keeps what the lane has come to in the end. */
  finish(result: LaneResult): Promise<void> {
    return this.checkpoints.save(piecesOf({ result }, []));
  }
}

function* piecesOf(head: Head, others: Iterable<Uint8Array>): Generator<Uint8Array> {
  yield serialize(head);
  yield* others;
}
