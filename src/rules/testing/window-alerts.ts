import { isScalar, type YAMLMap } from 'yaml';
import { type PatternWindow, WINDOW_FIELDS, type WindowResult } from '../../engine/index.js';
import { Section, type YamlFile } from '../read/yaml-section.js';
import { suggest } from '../source/nearest.js';
import { START_MS, timeOf } from './event-rows.js';
import type { ExpectedAlert } from './rule-test.js';

const TIME_FORM = '10m (since the beginning) or 2026-01-05T10:00:00Z';

/** An alert that a test of a rule with a window expects: when the window begins and ends, and what its aggregates are. */
export function readWindowAlert(yaml: YamlFile, node: YAMLMap, window: PatternWindow): ExpectedAlert {
  const alert = new Section(yaml, node, 'An alert', ['start', 'end', 'values', 'message']);
  const time = (key: string): number | undefined =>
    alert.parsed(key, 'bad-time', TIME_FORM, (text) => timeOf(text, START_MS));
  if (alert.entry('end') === undefined) alert.missing('end', 'Write end: with the time at which the window ends.');
  const [start, end] = [time('start'), time('end')];
  const message = alert.text('message');
  return {
    steps: new Map(),
    window: { end: end ?? 0, ...(start === undefined ? {} : { start }), values: valuesOf(alert, window) },
    ...(message === undefined ? {} : { message }),
  };
}

function valuesOf(alert: Section, { aggregates }: PatternWindow): Readonly<Record<string, unknown>> {
  const names: readonly string[] = [...aggregates.map(({ name }) => name), ...WINDOW_FIELDS];
  const section = alert.section('values', 'values', null);
  const values: Record<string, unknown> = {};
  for (const name of section?.keys ?? []) {
    const { node, keySpan } = section!.entry(name)!;
    if (!names.includes(name)) {
      alert.source.error('unknown-aggregate', keySpan, `There is no aggregate ${name}.`, suggest(name, names));
    }
    values[name] = isScalar(node) ? node.value : null;
  }
  return values;
}

/** A window in one line: `2026-01-05T00:00:00.000Z to …, payments: 3`. */
export function sayWindow(values: Readonly<Record<string, unknown>>): string {
  const { windowStart, windowEnd, firstTime: _, lastTime: __, ...told } = values;
  const say = (time: unknown): string => new Date(time as number).toISOString();
  const rest = Object.entries(told).map(([name, value]) => `${name}: ${sayValue(value)}`);
  return [`${say(windowStart)} to ${say(windowEnd)}`, ...rest].join(', ');
}

const sayValue = (value: unknown): string => (value === null || value === undefined ? 'missing' : String(value));

/**
 * The expected windows, each with all that the window it was compared with tells: where a test says nothing, anything will do. So
 * equal windows read the same.
 */
export function windowsAsExpected(
  expected: readonly ExpectedAlert[],
  found: readonly { readonly window?: WindowResult }[],
): readonly ExpectedAlert[] {
  const rest = found.flatMap(({ window }) => window ?? []);
  return expected.map((alert) => {
    const { start, end, values } = alert.window!;
    const asked = { ...values, windowEnd: end, ...(start === undefined ? {} : { windowStart: start }) };
    const fits = ({ fields }: WindowResult): boolean =>
      Object.entries(asked).every(([name, value]) => isSame(fields[name] ?? null, value));
    const near = rest.findIndex(fits);
    const other = rest.findIndex((window) => window.end === end);
    const at = near < 0 ? other : near;
    const [window] = at < 0 ? [] : rest.splice(at, 1);
    const told = { ...(window?.fields ?? { windowStart: start ?? end }), ...asked };
    return { ...alert, window: { ...alert.window!, values: near < 0 ? told : window!.fields } };
  });
}

/** Numbers to two decimals, as messages show them. */
function isSame(found: unknown, expected: unknown): boolean {
  if (typeof found === 'number' && typeof expected === 'number') return Math.abs(found - expected) < 0.005;
  return found === expected;
}
