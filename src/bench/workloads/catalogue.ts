import { BenchError } from '../bench-error.js';
import { CombinationsFloor } from '../floors/all-combinations.js';
import { ChainFloor } from '../floors/chain.js';
import { DrainFloor } from '../floors/drain.js';
import { CardTestFloor, StructuringFloor } from '../floors/payments.js';
import { VariantsFloor } from '../floors/variants.js';
import { VelocityFloor } from '../floors/velocity.js';
import { WatchedFloor } from '../floors/watched.js';
import { COUNTRIES } from '../stream/generate.js';
import { rulesOfFile, rulesOfTemplate } from './rules.js';
import { variants } from './variants.js';
import type { Workload } from './workload.js';

const MINUTE = 60_000;

const FIXED: readonly Workload[] = [
  {
    name: 'W1',
    title: 'a large amount, next a withdrawal, followed by offshore',
    streams: ['u5k'],
    expected: { u5k: 8193 },
    floor: () => new DrainFloor(10 * MINUTE),
    rules: () => rulesOfFile('w1.yaml'),
  },
  {
    name: 'W2',
    title: 'three or more small payments, followed by a large one',
    streams: ['u5k'],
    expected: { u5k: 5095 },
    floor: () => new CardTestFloor(),
    rules: () => rulesOfFile('w2.yaml'),
  },
  {
    name: 'W3',
    title: 'transfers just under a limit with a large sum',
    streams: ['u5k'],
    expected: { u5k: 1747 },
    floor: () => new StructuringFloor(),
    rules: () => rulesOfFile('w3.yaml'),
  },
  {
    name: 'W4',
    title: 'count and sum of the last five minutes at every event',
    streams: ['u5k'],
    expected: { u5k: 1_129_926 },
    floor: () => new VelocityFloor(),
    rules: () => rulesOfFile('w4.yaml'),
  },
  {
    name: 'W5',
    title: 'all combinations of deposits, a withdrawal and a transfer',
    streams: ['hot', 'hot/20000/100/40', 'hot/20000/100/80'],
    expected: { hot: 41_810, 'hot/20000/100/40': 247_419, 'hot/20000/100/80': 1_487_326 },
    floor: () => new CombinationsFloor(),
    alsoUnread: true,
    rules: () => rulesOfFile('w5.yaml'),
  },
];

/** Where the counts of W6 are known. */
const SMALL = 'u5k/40000/2000';
const MIDDLE = 'u5k/200000/10000';
const EXPECTED_W6: Readonly<Record<number, Readonly<Record<string, number>>>> = {
  100: { [MIDDLE]: 77_396, [SMALL]: 15_199 },
  1000: { [SMALL]: 106_592 },
};

function manyPatterns(count: number): Workload {
  return {
    name: `W6-${count}`,
    title: `${count} variants of W1 at once`,
    streams: [count === 100 ? MIDDLE : SMALL],
    expected: EXPECTED_W6[count] ?? {},
    floor: () => new VariantsFloor(variants(count)),
    rules: () =>
      rulesOfTemplate(
        'w6.template.yaml',
        variants(count).map((variant) => ({ ...variant })),
      ),
  };
}

/** A sequence of `count` steps: a large amount, then one country after another. */
function sequence(count: number): Workload {
  const countries = Array.from({ length: count - 1 }, (_, i) => COUNTRIES[(i + 1) % COUNTRIES.length]!);
  const steps = countries.map((country, i) => `  - followedBy: s${i + 1}\n    where: country == '${country}'`);
  return {
    name: `steps-${count}`,
    title: `a sequence of ${count} steps`,
    streams: ['u5k/400000/20000'],
    expected: {},
    floor: () => new ChainFloor(countries, 10 * MINUTE),
    rules: () => rulesOfTemplate('steps.template.yaml', [{ steps: steps.join('\n') }]),
  };
}

function window(minutes: number): Workload {
  return {
    name: `windows-${minutes}m`,
    title: `W1 with a window of ${minutes} minutes`,
    streams: ['u500'],
    expected: {},
    floor: () => new DrainFloor(minutes * MINUTE),
    rules: () => rulesOfTemplate('windows.template.yaml', [{ minutes }]),
  };
}

/** Rules of which few concern an event: what they cost that do not. */
function watched(count: number): Workload {
  return {
    name: `watched-${count}`,
    title: `${count} rules, each about one merchant of 10,000`,
    streams: ['u5k/400000/20000'],
    expected: {},
    floor: () => new WatchedFloor(count, 10 * MINUTE),
    rules: () =>
      rulesOfTemplate(
        'watched.template.yaml',
        Array.from({ length: count }, (_, merchant) => ({ merchant })),
      ),
  };
}

const FAMILIES: readonly { readonly form: RegExp; readonly make: (n: number) => Workload }[] = [
  { form: /^W6-([1-9]\d{0,4})$/, make: manyPatterns },
  { form: /^watched-([1-9]\d{0,3})$/, make: watched },
  { form: /^steps-([2-9]|[1-9]\d)$/, make: sequence },
  { form: /^windows-([1-9]\d{0,2})m$/, make: window },
];

/** What `--workload` names besides sweeps, for messages. */
export const WORKLOAD_NAMES: readonly string[] = [...FIXED.map(({ name }) => name), 'W6-N'];

/** The workload of this name, or of this form. Throws `BenchError` `UNKNOWN_WORKLOAD`. */
export function workloadOf(name: string): Workload {
  const fixed = FIXED.find((workload) => workload.name === name);
  if (fixed !== undefined) return fixed;
  for (const { form, make } of FAMILIES) {
    const found = form.exec(name);
    if (found !== null) return make(Number(found[1]));
  }
  throw new BenchError('UNKNOWN_WORKLOAD', `There is no workload ${name}.`);
}
