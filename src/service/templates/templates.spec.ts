import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../connectors/system-clock.js';
import { type RuleText, readRules } from '../../rules/index.js';
import { payments } from '../../rules/testkit/payments.js';
import { MemoryLog } from '../../runtime/memory/memory-log.js';
import { ruleReading } from '../outline/rule-reading.js';
import { RuleControl } from '../rules/rule-control.js';
import { aService } from '../testing/a-service.js';
import { FakeDetector } from '../testing/fake-detector.js';

const p = (inner: string): string => `$${'{'}${inner}}`;
const LARGE = `id: large
title: Large
key: accountId
parameters:
  least: {type: number, minimum: 1, maximum: 9999, default: 100}
  field: {type: field, default: amount}
pattern:
  - begin: large
    where: ${p('field')} > ${p('least')}
`;
const RUNNING: RuleText = {
  file: 'running/pattern.yaml',
  text: `id: running\nkey: accountId\npattern:\n  - begin: one\n    where: amount > ${p('amount:5')}\n`,
};

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function started() {
  const folder = await mkdtemp(join(tmpdir(), 'stakeout-templates-'));
  closing.push(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'large'));
  await writeFile(join(folder, 'large/pattern.yaml'), LARGE);
  const read = (files: readonly RuleText[]) => readRules(files, { schemas: [payments] });
  const { rules } = await read([RUNNING]);
  const control = new RuleControl({
    ...{ log: new MemoryLog(), clock: systemClock, topic: 'rules', approval: false, read },
    initial: { all: rules, files: [RUNNING], rules, sources: [RUNNING], diagnostics: [] },
    ...{ report: () => undefined, warn: () => undefined },
  });
  await control.open();
  control.attach(new FakeDetector());
  closing.push(() => control.stop());
  const reading = ruleReading(
    () => [{ name: 'payments', schema: payments }],
    () => new Map(),
    folder,
  );
  const { service } = await aService({ rules: control, reading }, { settings: { templates: folder } });
  await service.start();
  closing.push(() => service.stop());
  const ask = async (method: 'GET' | 'POST', url: string, payload?: object) => {
    const answer = await service.app.inject({ method, url, ...(payload && { payload }) });
    return { status: answer.statusCode, body: answer.json() };
  };
  return { ask, control };
}

describe('/v1/templates', () => {
  it('has those of the folder, and the rules in force that have parameters', async () => {
    const { ask } = await started();
    const { body } = await ask('GET', '/v1/templates');
    expect(body).toEqual({
      items: [
        {
          ...{ id: 'large', title: 'Large', description: null, source: 'folder' },
          parameters: [
            { name: 'least', type: 'number', minimum: 1, maximum: 9999, default: '100' },
            { name: 'field', type: 'field', default: 'amount' },
          ],
        },
        {
          ...{ id: 'running', title: 'running', description: null, source: 'rules' },
          parameters: [{ name: 'amount', type: 'number', default: '5' }],
        },
      ],
      nextCursor: null,
    });
    expect((await ask('GET', '/v1/templates/none')).status).toBe(404);
  });

  it('gives a JSON Schema with the fields of the streams', async () => {
    const { ask } = await started();
    const { body } = await ask('GET', '/v1/templates/large');
    expect(body).toMatchObject({ yaml: LARGE, schema: { type: 'object', properties: { least: { maximum: 9999 } } } });
    expect(body.schema.properties.field.enum).toContain('country');
  });

  it('makes a rule of one, signed and with its reason, as a draft unless one says more', async () => {
    const { ask, control } = await started();
    const sent = { id: 'above-500', values: { least: 500 }, author: 'ann' };
    const { status, body } = await ask('POST', '/v1/templates/large/rules', sent);
    expect([status, body]).toMatchObject([200, { outcome: 'live', revision: 1, id: 'above-500' }]);
    expect(body.yaml).toContain('status: draft\n');
    expect(control.rules.map(({ id, status: is }) => [id, is])).toEqual([
      ['running', 'live'],
      ['above-500', 'draft'],
    ]);
    expect(control.history.at(-1)).toMatchObject({ author: 'ann', message: 'from the template large' });
    const again = await ask('POST', '/v1/templates/large/rules', { ...sent, status: 'live' });
    expect([again.status, again.body.code]).toEqual([409, 'RULE_EXISTS']);
    const replaced = await ask('POST', '/v1/templates/large/rules', { ...sent, status: 'live', replace: true });
    expect(replaced.body).toMatchObject({ outcome: 'live', revision: 2 });
    expect(control.running.map(({ id }) => id)).toEqual(['running', 'above-500']);
  });

  it('only says what it would be with dryRun', async () => {
    const { ask, control } = await started();
    const { body } = await ask('POST', '/v1/templates/running/rules', {
      id: 'other',
      values: { amount: 7 },
      dryRun: true,
    });
    expect(body).toMatchObject({ outcome: 'checked', revision: null, changes: [{ id: 'other', change: 'added' }] });
    expect(body.yaml).toContain('where: amount > 7\n');
    expect(control.rules.map(({ id }) => id)).toEqual(['running']);
  });

  it('tells what is wrong with values by their paths, and with the rule by its lines', async () => {
    const { ask } = await started();
    const wrong = await ask('POST', '/v1/templates/large/rules', { id: 'x', values: { least: 0, more: 1 } });
    expect([wrong.status, wrong.body.errors]).toEqual([
      422,
      [
        { path: 'values.more', message: 'large has no such parameter' },
        { path: 'values.least', message: 'must be at least 1' },
      ],
    ]);
    const rule = await ask('POST', '/v1/templates/large/rules', { id: 'x', values: { field: 'amuont' } });
    expect([rule.status, rule.body.diagnostics]).toMatchObject([
      422,
      [{ code: 'unknown-field', file: 'x/pattern.yaml', line: 8, column: 12, hint: 'Did you mean amount?' }],
    ]);
    expect((await ask('POST', '/v1/templates/large/rules', { values: {} })).status).toBe(400);
  });
});
