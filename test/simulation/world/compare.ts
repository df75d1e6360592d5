import type { Replayed } from './oracle.js';
import type { Outputs } from './outputs.js';
import type { SimulatedDelivery } from './sim-world.js';

export interface Comparison {
  readonly problems: readonly string[];
  readonly expected: number;
  readonly repeats: number;
}

/**
 * What was committed against what must have been. Exactly once: the same records in the same order. At least once: the same
 * records after repeats are dropped.
 */
export function compare(
  found: Outputs,
  replayed: Pick<Replayed, 'expected' | 'overtaken'>,
  delivery: SimulatedDelivery,
): Comparison {
  const problems: string[] = [];
  const names = [...new Set([...found.keys(), ...replayed.expected.keys()])].sort();
  let expected = 0;
  let repeats = 0;
  for (const name of names) {
    const wanted = replayed.expected.get(name) ?? [];
    const got = found.get(name) ?? [];
    expected += wanted.length;
    repeats += got.length - new Set(got).size;
    if (delivery === 'exactly-once') problems.push(...ordered(name, wanted, got));
    else problems.push(...sets(name, wanted, got, new Set(replayed.overtaken.get(name))));
  }
  return { problems, expected, repeats };
}

function ordered(name: string, wanted: readonly string[], got: readonly string[]): string[] {
  const at = wanted.findIndex((record, i) => record !== got[i]);
  if (at < 0 && wanted.length === got.length) return [];
  const problems = sets(name, wanted, got, new Set());
  if (got.length !== new Set(got).size)
    problems.push(`${name}: given out twice: ${got.find((r, i) => got.indexOf(r) < i)}`);
  const place = at < 0 ? wanted.length : at;
  if (problems.length === 0) problems.push(`${name}: at ${place} stands ${got[place]}, not ${wanted[place]}`);
  return problems;
}

function sets(name: string, wanted: readonly string[], got: readonly string[], also: ReadonlySet<string>): string[] {
  const [must, is] = [new Set(wanted), new Set(got)];
  const missing = [...must].filter((record) => !is.has(record));
  const extra = [...is].filter((record) => !must.has(record) && !also.has(record));
  return [
    ...missing.slice(0, 3).map((record) => `${name}: missing (one of ${missing.length}): ${record}`),
    ...extra.slice(0, 3).map((record) => `${name}: not to be there (one of ${extra.length}): ${record}`),
  ];
}
