import { CASES, type ConditionTest, generatedOf, treeOf } from '../../bench/conditions/cases.js';
import { closureOf } from '../../bench/conditions/closures.js';
import { eventsOf } from '../../src/bench/measure/engine-pass.js';
import { generateRows } from '../../src/bench/stream/generate.js';
import { parseStream } from '../../src/bench/stream/spec.js';
import type { EngineEvent } from '../../src/engine/index.js';

const events = eventsOf(generateRows(parseStream('u5k/500/50')));
const odd: readonly EngineEvent[] = [{}, { amount: null }, { amount: 'much', country: 5 }, { amount: Number.NaN }].map(
  (fields) => ({ time: 1, seq: 1, kind: '', fields }),
);

describe('the two ways to run a condition that are measured against each other', () => {
  it.each(CASES.map(({ name, conditions }) => [name, conditions] as const))(
    'agree on every event: %s',
    (_name, conditions) => {
      const all = [...events, ...odd];
      const trues = (test: ConditionTest) => all.filter((event) => test(event, event.fields, null) === true);
      const generated = conditions.map((text) => trues(generatedOf(treeOf(text))));
      expect(conditions.map((text) => trues(closureOf(treeOf(text))))).toEqual(generated);
      expect(generated.flat().length).toBeGreaterThan(0);
    },
  );
});
