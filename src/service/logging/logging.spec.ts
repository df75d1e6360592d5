import { personalFields } from '../../connectors/avro/personal-fields.js';
import { createLogger } from './logger.js';
import { NestLogger } from './nest-logger.js';
import { prettyLine } from './pretty.js';
import { MASK, makeRedactor, redactText } from './redact.js';

const card = '4111111111111111';

describe('redactText', () => {
  it.each([
    [card, MASK],
    ['card 4111 1111 1111 1111.', `card ${MASK}.`],
    ['4111-1111-1111-1111', MASK],
    ['x4111111111111111y', `x${MASK}y`],
    ['4111111111111112', '4111111111111112'],
    ['at 1700000000003', 'at 1700000000003'],
    ['alert 4111111111111111abcdef0123456789', 'alert 4111111111111111abcdef0123456789'],
  ])('%p becomes %p', (text, expected) => expect(redactText(text)).toBe(expected));
});

describe('redactor', () => {
  const redact = makeRedactor(new Set(['ip', 'deviceId']));

  it('masks personal fields at any depth, whatever their case, and card numbers wherever they are', () => {
    expect(redact({ a: { IP: '10.0.0.1', list: [{ deviceId: 7 }] }, n: Number(card), [card]: 1, ip: null })).toEqual({
      a: { IP: MASK, list: [{ deviceId: MASK }] },
      n: MASK,
      [MASK]: 1,
      ip: null,
    });
  });

  it('masks the message, stack and cause of an error', () => {
    const error = new Error(`declined ${card}`, { cause: new Error(card) });
    expect(JSON.stringify(redact({ err: error }))).not.toContain(card);
    expect(redact({ err: error })).toMatchObject({ err: { message: `declined ${MASK}`, cause: { message: MASK } } });
  });

  it('ends at circles', () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    expect(JSON.stringify(redact(circle))).toContain('[too deep]');
  });
});

it('finds the fields that a schema tags as personal', () => {
  const schema = {
    type: 'record',
    fields: [
      { name: 'id', type: 'string' },
      { name: 'ip', type: 'string', pii: true },
      { name: 'card', type: { type: 'record', name: 'Card', fields: [{ name: 'holder', type: 'string', pii: true }] } },
    ],
  };
  expect([...personalFields(schema)]).toEqual(['ip', 'holder']);
});

describe('logger', () => {
  function logged(format: 'json' | 'pretty', act: (logger: ReturnType<typeof createLogger>) => void): string {
    let text = '';
    const output = { write: (line: string) => (text += line) };
    act(createLogger({ name: 'test', log: { level: 'debug', format } }, new Set(['ip']), output));
    return text;
  }

  it('writes JSON without card numbers or personal fields, in whatever way they are logged', () => {
    const text = logged('json', (logger) => {
      logger.info({ ip: '10.0.0.1', amount: 5 }, `paid with ${card}`);
      logger.warn('paid with %s by %j', card, { ip: '10.0.0.1' });
      logger.error(new Error(card));
      logger.child({ component: 'x' }).info({ err: new Error(card) }, 'failed');
    });
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(text).not.toContain(card);
    expect(text).not.toContain('10.0.0.1');
    expect(lines[0]).toMatchObject({ level: 'info', name: 'test', amount: 5, ip: MASK, msg: `paid with ${MASK}` });
    expect(lines[2]).toMatchObject({ level: 'error', err: { type: 'Error', message: MASK } });
  });

  it('writes lines for people', () => {
    expect(prettyLine('{"level":40,"time":0,"msg":"late","n":1,"s":"x"}', { colour: false })).toBe(
      '00:00:00.000 WARN late n=1 s=x\n',
    );
    expect(logged('pretty', (logger) => logger.info('hello'))).toMatch(/^\d\d:\d\d:\d\d\.\d{3} hello\n$/);
  });

  it("takes Nest's own lines", () => {
    const text = logged('json', (logger) => {
      const nest = new NestLogger(logger);
      nest.log('route mapped', 'Router');
      nest.error(`broken ${card}`, 'stack', 'Handler');
    });
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { level: 'debug', msg: 'route mapped', context: 'Router' },
      { level: 'error', msg: `broken ${MASK}`, context: 'Handler', stack: 'stack' },
    ]);
  });
});
