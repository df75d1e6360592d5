import { type KeyState, type KeyStateLayout, windowIdsOf, windowsFrom } from '../../../engine/index.js';
import type { Changes } from '../../keys/change-list.js';
import type { KeyedEngine } from '../keyed/keyed-engine.js';
import type { Succession } from '../keyed/succession.js';
import type { CutEngine } from './cut.js';

/** How some of the stored keys are written: with the slots and windows of one engine, of these rules or of earlier ones. */
interface Layout {
  /** First byte of their keys in the store. */
  readonly number: number;
  readonly engine: KeyedEngine;
  readonly keyField: string;
  /** What its slots are today; `GONE`: nothing. */
  rules: readonly Label[];
  readonly windows: readonly string[];
}

type Label = CutEngine['rules'][number];

const GONE: Label = { id: '', revision: '' };
/** Numbers are bytes. */
const NUMBERS = 256;

/** Changes of the keys that are written in one way. */
export interface LayoutChanges {
  readonly number: number;
  readonly engine: KeyedEngine;
  readonly keys: Changes<KeyState | Uint8Array>;
}

/** Where entries of a cut are read to. */
export interface LayoutTarget {
  /** Place of the engine. */
  readonly engine: number;
  readonly layout: KeyStateLayout;
  /** The engine would write them in the very same way. */
  readonly isCurrent: boolean;
}

/**
 * Ways in which the keys of a task are written in the store. Each engine has its own; those of engines whose rules are over stay until
 * the last of their keys has been written anew, or deleted. Rules are changed only when the keys of those before have all gone over,
 * so that a key is stored as the rules of now write it, or as those before them did.
 *
 * Invariants
 * 1. Two layouts never have one number, and a number is used again only when no key with it is stored.
 * 2. What a slot of an earlier layout is called is what it is under today's rules: a rule that was taken out and has come back
 *    does not find its old runs there.
 */
export class StoredLayouts {
  private layouts: Layout[] = [];

  constructor(private engines: readonly KeyedEngine[]) {
    this.layouts = engines.map((engine, number) => layoutOf(engine, number));
  }

  /** Other engines take over from those until now; `after`: how, by the engine before. */
  succeed(engines: readonly KeyedEngine[], after: ReadonlyMap<KeyedEngine, readonly [KeyedEngine, Succession]>): void {
    for (const layout of this.layouts) {
      const way = after.get(layout.engine);
      layout.rules = layout.rules.map((_, slot) => renamed(slot, way) ?? GONE);
    }
    this.engines = engines;
    for (const engine of engines) this.layouts.push(layoutOf(engine, this.freeNumber()));
  }

  /** For the cut of a snapshot; what was taken by the one before is stored, or counts as changed again. */
  describe(): CutEngine[] {
    this.layouts = this.layouts.filter(
      ({ engine }) => this.engines.includes(engine) || engine.keys > 0 || engine.keysChanged > 0,
    );
    return this.layouts.map(({ number, engine, keyField, rules, windows }, place) => ({
      ...{ keyField, rules, windows },
      ...(number === place ? {} : { number }),
      ...(engine.stopped.length === 0 || !this.engines.includes(engine) ? {} : { stopped: engine.stopped }),
    }));
  }

  takeDirty(): LayoutChanges[] {
    return this.layouts.map(({ number, engine }) => ({ number, engine, keys: engine.takeDirty() }));
  }

  get keysChanged(): number {
    return this.layouts.reduce((sum, { engine }) => sum + engine.keysChanged, 0);
  }

  /**
   * How the entries of a cut are read, by their number. The present engines take over the numbers of what they would write in the
   * same way, and have others than all that is stored else.
   */
  read(cut: readonly CutEngine[]): ReadonlyMap<number, LayoutTarget> {
    const targets = new Map<number, LayoutTarget>();
    const numbers = new Map<KeyedEngine, number>();
    // The last of them is of the engine that was there last.
    for (const [place, stored] of [...cut.entries()].reverse()) {
      const number = stored.number ?? place;
      const engine = this.engines.findIndex(({ keyField }) => keyField === stored.keyField);
      if (engine < 0) continue;
      const to = this.engines[engine]!;
      const isCurrent = !numbers.has(to) && isLayoutOf(stored, to);
      if (isCurrent) numbers.set(to, number);
      targets.set(number, { engine, layout: layoutFrom(stored, to), isCurrent });
    }
    const taken = new Set(cut.map(({ number }, place) => number ?? place));
    this.layouts = this.engines.map((engine) => {
      const number = numbers.get(engine) ?? firstFree(taken);
      taken.add(number);
      return layoutOf(engine, number);
    });
    return targets;
  }

  private freeNumber(): number {
    return firstFree(new Set(this.layouts.map(({ number }) => number)));
  }
}

function firstFree(taken: ReadonlySet<number>): number {
  for (let number = 0; number < NUMBERS; number++) if (!taken.has(number)) return number;
  throw new Error('rules were changed faster than state could be stored, too many times');
}

function layoutOf(engine: KeyedEngine, number: number): Layout {
  return { number, engine, ...describe(engine) };
}

const describe = ({ keyField, rules, ruleSet }: KeyedEngine): CutEngine => ({
  keyField,
  rules: rules.map(({ id, revision }) => ({ id, revision })),
  windows: windowIdsOf(ruleSet),
});

function isLayoutOf({ keyField, rules, windows }: CutEngine, engine: KeyedEngine): boolean {
  return JSON.stringify({ keyField, rules, windows }) === JSON.stringify(describe(engine));
}

/** A rule that is gone or changed maps to nothing. */
function layoutFrom(stored: CutEngine, { rules, ruleSet }: KeyedEngine): KeyStateLayout {
  const slots = stored.rules.map((old) => {
    const slot = rules.findIndex((rule) => rule.id === old.id && rule.revision === old.revision);
    return slot < 0 ? undefined : slot;
  });
  return { slot: (written) => slots[written], windows: windowsFrom(ruleSet, stored.windows) };
}

/** What a slot is called under the rules that came after; `null`: nothing. */
function renamed(slot: number, way: readonly [KeyedEngine, Succession] | undefined): Label | null {
  const to = way?.[1].slots[slot];
  if (way === undefined || to === undefined) return null;
  const { id, revision } = way[0].rules[to]!;
  return { id, revision };
}
