import { RunError } from '../run/file-streams.js';

/** A parameter with the values that are tried. */
export interface SweptParameter {
  readonly name: string;
  readonly values: readonly string[];
}

/** Most points of a sweep: all of them are compiled and run at once. */
export const SWEEP_POINTS_MAX = 1000;

const FORM = /^([A-Za-z][A-Za-z0-9_]*)=(.+)$/;
const RANGE = /^(-?[\d.]+(?:e-?\d+)?)\.\.(-?[\d.]+(?:e-?\d+)?):(\d+)$/i;
/** Digits of a value between two others: enough to tell them apart, without the noise of binary fractions. */
const DIGITS = 12;

/**
 * `amount=5000..20000:16`: sixteen values from 5000 to 20000, both among them. `amount=5000,7500,10000`: these. Throws `RunError`.
 */
export function parseSweep(text: string): SweptParameter {
  const [, name, values] = FORM.exec(text) ?? [];
  if (name === undefined || values === undefined) throw malformed(text);
  const range = RANGE.exec(values);
  if (range === null) {
    const list = values.split(',').map((value) => value.trim());
    if (list.includes('') || /\.\./.test(values)) throw malformed(text);
    return { name, values: [...new Set(list)] };
  }
  const [from, to, count] = range.slice(1).map(Number) as [number, number, number];
  if (!Number.isFinite(from) || !Number.isFinite(to) || count < 2) throw malformed(text);
  const step = (to - from) / (count - 1);
  const all = Array.from({ length: count }, (_, i) => (i === count - 1 ? to : from + i * step));
  return { name, values: [...new Set(all.map((value) => String(Number(value.toPrecision(DIGITS)))))] };
}

function malformed(text: string): RunError {
  const form = 'NAME=FROM..TO:COUNT with a count of at least 2, or NAME=VALUE,VALUE,…';
  return new RunError(`--sweep ${text}: write ${form}.`);
}

/** Every combination of the values, the last parameter changing fastest. Throws `RunError` for more than `SWEEP_POINTS_MAX`. */
export function gridOf(parameters: readonly SweptParameter[]): ReadonlyMap<string, string>[] {
  const count = parameters.reduce((product, { values }) => product * values.length, 1);
  if (count > SWEEP_POINTS_MAX) {
    throw new RunError(`The sweep has ${count} points; at most ${SWEEP_POINTS_MAX} are tried at once.`);
  }
  return parameters.reduce<ReadonlyMap<string, string>[]>(
    (points, { name, values }) => points.flatMap((point) => values.map((value) => new Map([...point, [name, value]]))),
    [new Map()],
  );
}
