import type { Rule } from '../../rules/index.js';
import { toldName } from '../../rules/told-features.js';
import type { Consideration, Elsewhere, Question } from '../../runtime/detector.js';
import { partitionOfKey } from '../../runtime/partitioner.js';
import { Decisions } from '../decisions/decisions.js';
import { questionOf, sentQuestion } from '../decisions/other-instances.js';
import { KeyFeatureReader } from './key-features.js';
import type { PlaceOf, RulePlace } from './rule-place.js';

const rule = { id: 'spend', key: 'user' } as Rule;
const known = (question: Question, isKnown = true): Consideration => ({
  asOf: { topic: question.topic, partition: question.partition, position: 7, watermark: 5 },
  ...{ isLate: false, waiting: 0, alerts: [], advances: [], forwards: [] },
  keyFeatures: { isKnown, features: { spent: 20 } },
});

function readerOf(place: RulePlace | PlaceOf, consider: (question: Question) => Consideration | Elsewhere) {
  const asked: string[] = [];
  const decisions = new Decisions({
    log: { topics: async () => ['payments-1', 'payments-2', 'other'].map((name) => ({ name, partitions: 4 })) },
    writer: { recordOf: () => Promise.reject(new Error('nothing is written')) },
    now: () => 0,
    stopwatch: () => 0,
    onDecision: () => undefined,
    consider: async (question) => {
      asked.push(`${question.topic}-${question.partition}`);
      return consider(question);
    },
    askInstance: async (url, question) => (url === 'http://other' ? known(question) : null),
  });
  return { reader: new KeyFeatureReader(decisions, typeof place === 'function' ? place : () => place), asked };
}

const ann = partitionOfKey(Buffer.from('ann'), 4);

describe('features of a key', () => {
  it('come from the partition of the key', async () => {
    const { reader, asked } = readerOf({ topics: { names: ['payments-1'] }, isByKey: true }, known);
    expect(await reader.read(rule, 'ann')).toEqual([
      {
        isKnown: true,
        features: { spent: 20 },
        asOf: { topic: 'payments-1', partition: ann, position: 7, watermark: 5 },
      },
    ]);
    expect(asked).toEqual([`payments-1-${ann}`]);
  });

  it('come from the instance that has it', async () => {
    const { reader } = readerOf({ topics: { names: ['payments-1'] }, isByKey: true }, () => ({
      elsewhere: 'http://other',
    }));
    expect(await reader.read(rule, 'ann')).toMatchObject([{ features: { spent: 20 } }]);
  });

  it('come from each topic of a stream, and from any partition where the key does not tell which', async () => {
    const { reader, asked } = readerOf({ topics: { pattern: /^payments-\d$/ }, isByKey: false }, (question) =>
      known(question, question.partition === 3),
    );
    const found = await reader.read(rule, 'a/b');
    expect(found.map(({ asOf }) => `${asOf.topic}-${asOf.partition}`)).toEqual(['payments-1-3', 'payments-2-3']);
    expect(asked).toHaveLength(8);
  });

  it('of another key come from where that key is counted', async () => {
    const feature = { fn: 'count', overMs: 1000, of: 'place' } as const;
    const other = { key: 'place', keyBy: { form: 'one', field: 'place' }, streams: [], features: [feature] } as const;
    const own = { name: 'spent', feature: { fn: 'count', overMs: 1000 } } as const;
    const both: Rule = { ...rule, features: [own, { name: 'seen', feature }], otherKeys: [other] };
    const questions: Question[] = [];
    const { reader } = readerOf(
      (_, of) => ({ topics: { names: [of === other ? 'payments-2' : 'payments-1'] }, isByKey: true }),
      (question) => {
        questions.push(question);
        return known(question);
      },
    );
    await reader.read(both, 'DE', 0, other);
    expect(questions).toMatchObject([
      {
        topic: 'payments-2',
        partition: partitionOfKey(Buffer.from('DE'), 4),
        featuresOf: { pattern: 'spend', key: 'DE', told: { seen: toldName(feature) } },
      },
    ]);
    expect(Object.keys(questions[0]!.featuresOf!.told!)).toEqual(['seen']);
    expect(questionOf(JSON.parse(JSON.stringify(sentQuestion(questions[0]!))))).toEqual({
      ...questions[0],
      ...{ key: Buffer.from('DE'), value: Buffer.alloc(0) },
    });
  });

  it.each<[what: string, consider: (question: Question) => Consideration | Elsewhere]>([
    ['nobody has it', () => ({ elsewhere: null })],
    ['its owner does not answer', () => ({ elsewhere: 'http://gone' })],
    ['the rule does not run there yet', (question) => ({ ...known(question), keyFeatures: null })],
  ])('are not told where %s', async (_, consider) => {
    const { reader } = readerOf({ topics: { names: ['payments-1'] }, isByKey: true }, consider);
    await expect(reader.read(rule, 'ann')).rejects.toMatchObject({ body: { status: 503, code: 'NOT_HERE' } });
  });
});
