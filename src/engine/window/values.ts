import type { Scalar } from '../expression/expression.js';

/** What several lists share: the longest of them is the newest, and adds in place. */
interface Pool {
  readonly items: Scalar[];
  /** Of different values: all that are there. */
  readonly known: Set<Scalar> | null;
}

/**
 * Values of a window in the order in which they came. A list never changes, though lists share what they hold: what was added later
 * stands behind its length.
 */
export interface Values {
  readonly pool: Pool | null;
  readonly length: number;
}

export const NO_VALUES: Values = { pool: null, length: 0 };

export const valuesIn = ({ pool, length }: Values): readonly Scalar[] =>
  pool === null ? [] : pool.items.length === length ? pool.items : pool.items.slice(0, length);

/** The values with one more; with `isDistinct`, unless it is among them. */
export function addValue(values: Values, value: Scalar, isDistinct: boolean): Values {
  const pool = ownPool(values, isDistinct);
  if (pool.known !== null) {
    if (pool.known.has(value)) return values;
    pool.known.add(value);
  }
  return { pool, length: pool.items.push(value) };
}

/** One that ends with these values: theirs, or a copy where a newer list goes on from them. */
function ownPool(values: Values, isDistinct: boolean): Pool {
  const { pool, length } = values;
  if (pool !== null && pool.items.length === length) return pool;
  return poolOf(valuesIn(values), isDistinct);
}

const poolOf = (items: readonly Scalar[], isDistinct: boolean): Pool => ({
  items: [...items],
  known: isDistinct ? new Set(items) : null,
});

export function valuesOf(items: readonly Scalar[], isDistinct: boolean): Values {
  return items.length === 0 ? NO_VALUES : { pool: poolOf(items, isDistinct), length: items.length };
}
