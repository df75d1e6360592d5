import type { Chance } from './chance.js';

/** What a process does that others, or its next life, can see; `read` stands for all that it asks. */
export type Effect = 'commit' | 'transaction' | 'send' | 'state write' | 'state clear' | 'copy' | 'read';

/** What happens to one effect. */
export interface Fate {
  /** Before it takes effect, and before the answer comes, in ms. */
  readonly delayMs: number;
  readonly replyMs: number;
  readonly fault: FaultOfEffect | null;
}

export type FaultOfEffect =
  /** The process dies before it, or after it, and gets no answer. */
  | 'crash before'
  | 'crash after'
  /** It stands still for a while, before or after. */
  | 'freeze before'
  | 'freeze after'
  /** It dies, and its request is still on the way. */
  | 'crash in flight'
  /** Nothing happens, and the process is told so. */
  | 'refused'
  /** It happens, and the process is told that it did not. */
  | 'reply lost'
  /** Its group changes while it is on the way. */
  | 'rebalance'
  /** Its session ends while it is on the way. */
  | 'session lost';

const COMMON: readonly FaultOfEffect[] = ['crash before', 'crash after', 'freeze before', 'freeze after'];

/** What can happen to an effect. `refused` of a transaction is its abort, of a state write a disk error, `crash before` one a torn write. */
export const FAULTS_OF: Readonly<Record<Effect, readonly FaultOfEffect[]>> = {
  commit: [...COMMON, 'crash in flight', 'refused', 'reply lost', 'rebalance', 'session lost'],
  transaction: [...COMMON, 'crash in flight', 'refused', 'rebalance', 'session lost'],
  send: [...COMMON, 'crash in flight', 'reply lost', 'rebalance', 'session lost'],
  'state write': [...COMMON, 'refused', 'rebalance', 'session lost'],
  'state clear': [...COMMON, 'refused', 'rebalance', 'session lost'],
  copy: [...COMMON, 'refused'],
  read: ['crash before', 'freeze before', 'freeze after', 'rebalance', 'session lost'],
};

/** What happens now and then, whatever the processes do. */
export const EVENTS = [
  'crash',
  'freeze',
  'stop in good order',
  'another process',
  'session lost',
  'network cut',
  'log stalled',
  'clock jumps ahead',
  'clock jumps back',
  'disk lost',
  'older disk',
  'other rules',
  'other rules while it runs',
  'delivery switched',
] as const;

export type ChaosEvent = (typeof EVENTS)[number];

/** How likely what is in one seed: some kinds do not happen at all, so that others are not always hidden behind them. */
export interface Weather {
  readonly faultRate: number;
  readonly slowRate: number;
  readonly slowMsMax: number;
  readonly faults: ReadonlySet<FaultOfEffect>;
  readonly events: readonly ChaosEvent[];
  /** Between two of them, at most, in ms. */
  readonly eventEveryMs: number;
}

export function weatherOf(chance: Chance): Weather {
  const all = [...new Set(Object.values(FAULTS_OF).flat())];
  return {
    faultRate: chance.pick([0, 0.02, 0.06, 0.15]),
    slowRate: chance.pick([0, 0.05, 0.2, 0.6]),
    slowMsMax: chance.pick([5, 50, 400]),
    faults: new Set(all.filter(() => chance.happens(0.6))),
    events: EVENTS.filter(() => chance.happens(0.5)),
    eventEveryMs: chance.pick([60, 150, 400]),
  };
}

export const FINE: Weather = {
  ...{ faultRate: 0, slowRate: 0, slowMsMax: 0, faults: new Set<never>(), events: [], eventEveryMs: 1000 },
};

const ON_TIME: Fate = { delayMs: 0, replyMs: 0, fault: null };

export function fateOf(effect: Effect, weather: Weather, chance: Chance): Fate {
  // Reading is so frequent that nothing else would be reached.
  const rate = effect === 'read' ? weather.faultRate / 8 : weather.faultRate;
  const slow = chance.happens(weather.slowRate);
  const fault = chance.happens(rate) ? chance.pick(FAULTS_OF[effect]) : null;
  const happens = fault !== null && weather.faults.has(fault);
  if (!slow && !happens) return ON_TIME;
  const ms = (): number => (chance.happens(0.6) ? chance.between(1, Math.max(1, weather.slowMsMax)) : 0);
  return { delayMs: slow ? ms() : 0, replyMs: slow ? ms() : 0, fault: happens ? fault : null };
}

/** Counts what was really done, by kind. */
export class Tally {
  readonly counts = new Map<string, number>();

  add(kind: string, n = 1): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + n);
  }

  take(other: Tally): void {
    for (const [kind, n] of other.counts) this.add(kind, n);
  }

  table(): string {
    const rows = [...this.counts].sort(([a], [b]) => (a < b ? -1 : 1));
    return rows.map(([kind, n]) => `  ${kind.padEnd(34)} ${String(n).padStart(9)}`).join('\n');
  }
}
