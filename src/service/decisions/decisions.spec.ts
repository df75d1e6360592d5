import { type Consideration, type Elsewhere, type Question, UnreadableError } from '../../runtime/detector.js';
import { Decisions, type DecisionsOptions } from './decisions.js';
import { askInstance, questionOf, sentQuestion } from './other-instances.js';

const record = { topic: 'transactions', id: 't1', key: Buffer.from('acc-1'), value: Buffer.from([1, 2, 0xff]) };
const topics = async () => [{ name: 'transactions', partitions: 4 }];

function considered(topic: string, score: number, forwards: readonly Question[] = []): Consideration {
  const alert = { id: `${topic}-alert`, score } as Consideration['alerts'][number];
  const asOf = { topic, partition: 0, position: 7, watermark: 5 };
  return { asOf, isLate: false, waiting: 1, alerts: score === 0 ? [] : [alert], advances: [], forwards };
}

function decisions(over: Partial<DecisionsOptions>): Decisions {
  const recordOf = async () => record;
  const askOther = async (): Promise<null> => null;
  const consider = async (): Promise<Elsewhere> => ({ elsewhere: null });
  return new Decisions({
    log: { topics },
    writer: { recordOf },
    now: () => 0,
    stopwatch: () => 0,
    onDecision: () => undefined,
    askInstance: askOther,
    consider,
    ...over,
  });
}

describe('a decision', () => {
  it('is of the partition of the key, and of all partitions that the event would be forwarded to', async () => {
    const cards: Question = { topic: 'by-card', partition: 2, key: Buffer.from('card'), value: Buffer.from('event') };
    const asked: string[] = [];
    const decide = decisions({
      consider: async ({ topic, partition }) => {
        asked.push(`${topic}-${partition}`);
        return topic === 'transactions' ? considered(topic, 40, [cards]) : considered(topic, 90);
      },
    });
    const decision = await decide.decide({});
    expect(asked).toEqual([expect.stringMatching(/^transactions-[0-3]$/), 'by-card-2']);
    expect(decision).toMatchObject({ score: 90, waiting: 2, unanswered: [], asOf: { topic: 'transactions' } });
    expect(decision.alerts.map(({ id }) => id)).toEqual(['transactions-alert', 'by-card-alert']);
  });

  it('comes from the instance that owns the key', async () => {
    const urls: string[] = [];
    const decide = decisions({
      consider: async () => ({ elsewhere: 'http://other' }),
      askInstance: async (url, { topic }) => {
        urls.push(url);
        return considered(topic, 0);
      },
    });
    expect(await decide.decide({})).toMatchObject({ score: 0, alerts: [] });
    expect(urls).toEqual(['http://other']);
  });

  it('says which partitions had no say', async () => {
    const forwards = [{ topic: 'by-card', partition: 2, key: null, value: Buffer.from('') }];
    const decide = decisions({
      consider: async ({ topic }) =>
        topic === 'transactions' ? considered(topic, 10, forwards) : { elsewhere: 'http://gone' },
    });
    expect(await decide.decide({})).toMatchObject({ score: 10, unanswered: ['by-card-2'] });
  });

  it.each<[string, Partial<DecisionsOptions>, number, string]>([
    ['nobody owns the key', {}, 503, 'NOT_HERE'],
    [
      'its owner is said to be this very instance',
      { consider: async () => ({ elsewhere: 'http://me' }), ownUrl: 'http://me', askInstance: () => Promise.reject() },
      ...([503, 'NOT_HERE'] as const),
    ],
    [
      'it would be a dead letter',
      { consider: () => Promise.reject(new UnreadableError('no time')) },
      422,
      'INVALID_INPUT',
    ],
    ['its lane ends', { consider: () => Promise.reject(new Error('ended')) }, 503, 'NOT_HERE'],
    ['the log is away', { log: { topics: () => Promise.reject(new Error('away')) } }, 503, 'LOG_AWAY'],
    ['it has no key', { writer: { recordOf: async () => ({ ...record, key: null }) } }, 422, 'INVALID_INPUT'],
  ])('is refused when %s', async (_, over, status, code) => {
    await expect(decisions(over).decide({})).rejects.toMatchObject({ body: { status, code } });
  });

  it.each<[string, Partial<DecisionsOptions>]>([
    ['answered', { consider: async ({ topic }) => considered(topic, 40) }],
    [
      'partial',
      {
        consider: async ({ topic }) =>
          topic === 'transactions'
            ? considered(topic, 10, [{ topic: 'by-card', partition: 2, key: null, value: Buffer.from('') }])
            : { elsewhere: null },
      },
    ],
    ['refused', { writer: { recordOf: async () => ({ ...record, key: null }) } }],
    ['away', {}],
    ['failed', { writer: { recordOf: () => Promise.reject(new Error('a mistake of ours')) } }],
  ])('is told of as %s, with its seconds', async (outcome, over) => {
    const told: unknown[] = [];
    let seconds = 5;
    const onDecision: DecisionsOptions['onDecision'] = (...of) => void told.push(of);
    const decide = decisions({ ...over, stopwatch: () => (seconds *= 2), onDecision });
    await decide.decide({}).catch(() => undefined);
    expect(told).toEqual([[outcome, 10]]);
  });

  it('waits for the log once at most: what topics have is asked for again beside it', async () => {
    let [now, asked] = [0, 0];
    const answers = [
      Promise.withResolvers<Awaited<ReturnType<typeof topics>>>(),
      Promise.withResolvers<Awaited<ReturnType<typeof topics>>>(),
    ];
    const decide = decisions({
      now: () => now,
      log: { topics: () => answers[asked++]!.promise },
      consider: async ({ topic }) => considered(topic, 40),
    });
    const first = [decide.decide({}), decide.decide({})];
    answers[0]!.resolve(await topics());
    await Promise.all(first);
    expect(asked).toBe(1);
    now = 60_000;
    expect(await decide.decide({})).toMatchObject({ score: 40 });
    expect(asked).toBe(2);
    answers[1]!.reject(new Error('away'));
    expect(await decide.decide({})).toMatchObject({ score: 40 });
  });

  it('is not passed on twice', async () => {
    const answer = decisions({ consider: async () => ({ elsewhere: 'http://other' }) }).answer({
      ...record,
      partition: 0,
    });
    await expect(answer).rejects.toMatchObject({ body: { status: 503, code: 'NOT_HERE' } });
  });
});

describe('a question to another instance', () => {
  it('arrives as it was asked', () => {
    const question = { topic: 't', partition: 3, key: Buffer.from([0, 0xfe]), value: Buffer.from([1, 2, 0xff]) };
    expect(questionOf(JSON.parse(JSON.stringify(sentQuestion(question))))).toEqual(question);
    expect(questionOf({ ...sentQuestion(question), key: null })).toEqual({ ...question, key: null });
  });

  it.each([null, 7, {}, { topic: 't', partition: 0.5, key: null, value: '' }, { topic: 't', partition: 0, key: null }])(
    'is none: %p',
    (sent) => expect(questionOf(sent)).toBe(null),
  );

  it('has no answer from where nobody listens', async () => {
    expect(await askInstance('http://127.0.0.1:1', { ...record, partition: 0 })).toBe(null);
  });
});
