import { eventsOfStep, type MatchNode } from '../buffer/match-node.js';
import type { EngineEvent } from '../event.js';
import * as aggregates from './aggregates.js';
import type { RunView } from './expression.js';
import type { EngineFunction } from './functions.js';
import type { Lists } from './lists.js';
import { cellValue } from './scalar-code.js';

/** The run-time library of generated conditions. */
export interface ConditionRuntime {
  view(head: MatchNode | null): RunView;
  readonly [helper: string]: unknown;
}

const num = (v: unknown): number => (typeof v === 'number' ? v : Number.NaN);
const str = (v: unknown): string | undefined => (typeof v === 'string' ? v : undefined);
const scalar = (v: unknown): number | string | boolean | undefined =>
  typeof v === 'string' || typeof v === 'number' || typeof v === 'boolean' ? v : undefined;
/** NaN is the missing number, so it is not there either. */
const present = (v: unknown): boolean => v !== undefined && v !== null && !Number.isNaN(v);

type Comparable = number | string;
const comparable = (a: unknown, b: unknown): boolean =>
  typeof a === typeof b && (typeof a === 'number' || typeof a === 'string');

/** The text that a list is asked for; `undefined`: none. */
const asked = (v: unknown): string | undefined =>
  typeof v === 'string' ? v : present(v) && typeof v !== 'object' ? String(v) : undefined;

function lookup(lists: Lists, list: string, key: unknown): string | undefined {
  const text = asked(key);
  return text === undefined ? undefined : lists.get(list, text);
}

const helpers = {
  cellValue,
  num,
  str,
  scalar,
  present,
  neNum: (a: number, b: number): boolean => !Number.isNaN(a) && !Number.isNaN(b) && a !== b,
  eq: (a: unknown, b: unknown): boolean => present(a) && a === b,
  ne: (a: unknown, b: unknown): boolean => present(a) && present(b) && a !== b,
  lt: (a: unknown, b: unknown): boolean => comparable(a, b) && (a as Comparable) < (b as Comparable),
  le: (a: unknown, b: unknown): boolean => comparable(a, b) && (a as Comparable) <= (b as Comparable),
  gt: (a: unknown, b: unknown): boolean => comparable(a, b) && (a as Comparable) > (b as Comparable),
  ge: (a: unknown, b: unknown): boolean => comparable(a, b) && (a as Comparable) >= (b as Comparable),
  inList(lists: Lists, list: string, value: unknown): boolean {
    const text = asked(value);
    return text !== undefined && lists.has(list, text);
  },
  lookup,
  lookupNumber(lists: Lists, list: string, key: unknown): number {
    const text = lookup(lists, list, key);
    return text === undefined || text.trim() === '' ? Number.NaN : Number(text);
  },
  in1: (v: unknown, a: unknown): boolean => v === a,
  in2: (v: unknown, a: unknown, b: unknown): boolean => v === a || v === b,
  in3: (v: unknown, a: unknown, b: unknown, c: unknown): boolean => v === a || v === b || v === c,
  in4: (v: unknown, a: unknown, b: unknown, c: unknown, d: unknown): boolean =>
    v === a || v === b || v === c || v === d,
  call(fn: EngineFunction, ...args: (number | string | boolean | undefined)[]): number | string | boolean | undefined {
    for (const arg of args) if (arg === undefined || Number.isNaN(arg)) return undefined;
    return fn.apply(...(args as never[]));
  },
  ...aggregates,
};

/** The library for one pattern; `stepNames` maps the names that function conditions use. */
export function conditionRuntime(stepNames: readonly string[]): ConditionRuntime {
  return {
    ...helpers,
    view: (head: MatchNode | null): RunView => ({
      events: (step: string): readonly EngineEvent[] => eventsOfStep(head, stepNames.indexOf(step)),
    }),
  };
}
