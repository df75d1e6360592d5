import type { PatternState, Run } from '../buffer/run.js';
import type { CompiledPattern } from '../compiler/compile.js';
import { type CompiledState, IGNORE } from '../compiler/compiled-state.js';
import type { EngineEvent } from '../event.js';
import { type StepEvents, stepsOf } from './output.js';
import { expand, expiredAt } from './step.js';

/** A partial match that ended where one more event, or one less, would have made it a match. */
export interface NearMiss {
  readonly steps: readonly StepEvents[];
  /** When it ended, in ms of event time. */
  readonly time: number;
  /** `within`, `gap`: time ran out. `negation`: an event came that must not. */
  readonly by: 'within' | 'gap' | 'negation';
  /** The steps that one of which was missing, or the one that must not have come. */
  readonly missing: readonly string[];
  /** Of a negation: the event that must not have come. */
  readonly event: EngineEvent | null;
}

type Tell = (nearMiss: NearMiss) => void;

/** Whether a run in this state is a match unless something comes. */
const isAbsence = ({ isPending, transitions }: CompiledState): boolean =>
  isPending || transitions.some(({ action, target }) => action === IGNORE && target.isFinal);

/** Of runs that begin with the same event, the one with the most events is told. */
class Longest {
  private readonly byFirst = new Map<
    EngineEvent,
    { readonly run: Run; readonly length: number; readonly tell: () => void }
  >();

  add(run: Run, tell: () => void): void {
    let length = 0;
    for (let node = run.head; node !== null; node = node.previous) length++;
    const known = this.byFirst.get(run.first!);
    if (known === undefined || length > known.length) this.byFirst.set(run.first!, { run, length, tell });
  }

  tellAll(): void {
    for (const { tell } of [...this.byFirst.values()].sort((a, b) => a.run.first!.seq - b.run.first!.seq)) tell();
  }
}

/** Tells of the near misses among the runs whose windows end at or before `time`. To be called before they are dropped. */
export function tellExpiring(pattern: CompiledPattern, { partial }: PatternState, time: number, tell: Tell): void {
  const found = new Longest();
  for (const run of partial) {
    const state = pattern.states[run.state]!;
    const missing = pattern.oneShort![run.state]!;
    if (missing === null) continue;
    const end = expiredAt(pattern, state, run, time);
    if (end === null) continue;
    const by = state.gapMs > 0 && end === run.head!.event.time + state.gapMs ? 'gap' : 'within';
    found.add(run, () => tell({ steps: stepsOf(pattern, run.head), time: end, by, missing, event: null }));
  }
  found.tellAll();
}

/** Tells of the near misses among the runs that the event stops. To be called before it is processed. */
export function tellStopped(pattern: CompiledPattern, { partial }: PatternState, event: EngineEvent, tell: Tell): void {
  const found = new Longest();
  for (const run of partial) {
    const state = pattern.states[run.state]!;
    if (state.isStart || (pattern.oneShort![run.state] === null && !isAbsence(state))) continue;
    const results = expand(pattern, run, event);
    const stop = results?.map((result) => pattern.states[result.state]!).find(({ isStop }) => isStop);
    // What completes it as well is a match.
    if (stop === undefined || results!.some((result) => pattern.states[result.state]!.isFinal)) continue;
    const missing = [stop.name.split(':')[0]!];
    found.add(run, () => tell({ steps: stepsOf(pattern, run.head), time: event.time, by: 'negation', missing, event }));
  }
  found.tellAll();
}
