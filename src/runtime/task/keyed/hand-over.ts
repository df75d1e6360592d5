import { joinFeatures, joinKeyStates, viewKeyState, windowIdsOf, withFeatures } from '../../../engine/index.js';
import { type KeyMemory, sumOfMemory } from '../../keys/memory.js';
import { type Carried, type CarryOptions, carryOver } from './carry-over.js';
import type { KeySource, Released } from './key-source.js';
import type { Predecessor } from './succession.js';

/** Gets what each of the sources knows of a key; of one at least. */
export type ReceiveAll = (key: string, values: readonly (Released | undefined)[]) => void;

/**
 * The keys of some sources, on their way to the engine that is to have them. A key goes from all of them at once, when an event of it
 * comes or a timer of it is due, so that no result depends on when; the others go some at a time, so that no call is long however
 * many they are.
 */
export class HandOver {
  /** Of each source the place to go on with; -1: all have gone. */
  private readonly next: number[];

  constructor(
    private readonly sources: readonly KeySource[],
    private readonly receive: ReceiveAll,
  ) {
    this.next = sources.map(() => 0);
  }

  get keys(): number {
    return this.sources.reduce((sum, source) => sum + source.keys, 0);
  }

  get runs(): number {
    return this.sources.reduce((sum, source) => sum + source.runs, 0);
  }

  memory(): KeyMemory {
    return this.sources.map((source) => source.memory()).reduce(sumOfMemory);
  }

  nextTimer(): number {
    return Math.min(...this.sources.map((source) => source.nextTimer()));
  }

  close(): void {
    for (const source of this.sources) source.close?.();
  }

  bring(key: string): void {
    this.come(key, -1, undefined);
  }

  /** Brings the keys with timers at `time` or before. */
  bringDue(time: number): void {
    this.sources.forEach((source, from) => {
      source.releaseDue(time, (key, value) => this.come(key, from, value));
    });
  }

  /** Looks at some places more; says whether none is left. */
  bringSome(count: number): boolean {
    const from = this.next.findIndex((place) => place >= 0);
    if (from < 0) return true;
    this.next[from] = this.sources[from]!.releaseSome(this.next[from]!, count, (key, value) =>
      this.come(key, from, value),
    );
    return this.next.every((place) => place < 0);
  }

  /** `released`: what one of the sources, `from`, has given up of the key already. */
  private come(key: string, from: number, released: Released | undefined): void {
    const values = this.sources.map((source, i) => (i === from ? released : source.release(key)));
    if (values.some((value) => value !== undefined)) this.receive(key, values);
  }
}

/** How the keys of engines before come to that with the rules `to`. */
export function handOverTo(
  by: Pick<CarryOptions, 'to' | 'codec' | 'outline' | 'watermark'>,
  from: readonly Predecessor[],
  receive: (key: string, carried: Carried) => void,
): HandOver {
  const carries = from.map(({ engine, way, readsSame }) => carryOver({ ...by, from: engine.ruleSet, way, readsSame }));
  const [before, own] = [windowIdsOf(from[0]!.engine.ruleSet), windowIdsOf(by.to)];
  const isSameWindow = (place: number): boolean => before.includes(own[place]!);
  const join = (a: Carried, b: Carried): Carried => {
    const features = joinFeatures(a.state.features, b.state.features, isSameWindow);
    const rest = joinKeyStates(withFeatures(a.state, undefined), withFeatures(b.state, undefined));
    const state = withFeatures(rest, features)!;
    if (rest === undefined || (a.bytes === undefined && b.bytes === undefined)) return { state };
    // Events of what was cold were only looked at: they are in the bytes alone.
    return { state, bytes: viewKeyState(rest, by.to, by.codec) };
  };
  const engines = from.map(({ engine }) => engine);
  return new HandOver(engines, (key, values) => {
    let whole: Carried | undefined;
    values.forEach((value, i) => {
      const carried = value === undefined ? undefined : carries[i]!(value);
      if (carried !== undefined) whole = whole === undefined ? carried : join(whole, carried);
    });
    if (whole !== undefined) receive(key, whole);
  });
}
