import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventSchemaOf } from '../../src/connectors/avro/event-schema.js';
import { readAvroSchema } from '../../src/connectors/avro/schema.js';
import {
  formatDiagnostic,
  formatFailure,
  loadRules,
  parseRuleTests,
  type TestStream,
  testRules,
} from '../../src/rules/index.js';
import { formatSettingsError, loadSettings } from '../../src/runtime/settings/index.js';
import { renderMessage } from '../../src/runtime/task/alert/message.js';

const patterns = join(import.meta.dirname, '../../patterns');
const templates = join(import.meta.dirname, '../../templates');
const examples = join(import.meta.dirname, '../../examples');
const avro = readAvroSchema(join(import.meta.dirname, '../../schemas/transaction.avsc'));
const stream: TestStream = {
  schema: eventSchemaOf(avro, { stream: 'transactions', type: 'type' }),
  idField: 'transactionId',
  timeField: 'eventTime',
  typeField: 'type',
};

/** The streams of the example that a rule belongs to. */
function exampleStreams(file: string): readonly TestStream[] {
  const loaded = loadSettings({ file: join(file, '../../../stakeout.yaml'), env: {} });
  if ('errors' in loaded) throw new Error(loaded.errors.map(formatSettingsError).join('\n'));
  const all = Object.values(loaded.settings.streams);
  return all.map(({ name, id, time, type }) => {
    return { name, schema: null, idField: id, timeField: time, typeField: type };
  });
}

describe('the examples', () => {
  it('have settings that hold and rules that pass their own tests', async () => {
    const result = await testRules([examples], { streamsOf: exampleStreams, render: renderMessage });
    expect(result.diagnostics.map(formatDiagnostic)).toEqual([]);
    expect(result.failures.map(formatFailure)).toEqual([]);
    expect(result.passed).toBeGreaterThanOrEqual(50);
  });
});

describe('the shipped patterns', () => {
  it('have neither errors nor warnings', async () => {
    const { rules, diagnostics } = await loadRules([patterns], { schemas: [stream.schema!] });
    expect(diagnostics.map(formatDiagnostic)).toEqual([]);
    expect(rules.length).toBeGreaterThanOrEqual(14);
    expect(rules.map((rule) => rule.key)).toEqual(rules.map(() => 'accountId'));
    for (const rule of rules) {
      expect(rule).toMatchObject({ title: expect.any(String), description: expect.any(String) });
      expect(rule.pattern.withinMs).toBeGreaterThan(0);
      expect(rule.pattern.skip).toBeDefined();
    }
  });

  it('pass their own tests', async () => {
    const result = await testRules([patterns], { streamsOf: () => [stream], render: renderMessage });
    expect(result.diagnostics.map(formatDiagnostic)).toEqual([]);
    expect(result.failures.map(formatFailure)).toEqual([]);
    expect(result.passed).toBeGreaterThanOrEqual(42);
  });

  it('have templates beside them that hold with their defaults, and pass their tests', async () => {
    const result = await testRules([templates], { streamsOf: () => [stream], render: renderMessage });
    expect(result.diagnostics.map(formatDiagnostic)).toEqual([]);
    expect(result.failures.map(formatFailure)).toEqual([]);
    expect(result.passed).toBeGreaterThanOrEqual(8);
  });

  it('each have a test that fires and one that does not', async () => {
    const { rules } = await loadRules([patterns], { schemas: [stream.schema!] });
    for (const rule of rules) {
      const file = join(rule.source, '../tests.yaml');
      const { tests } = parseRuleTests(await readFile(file, 'utf8'), file, rule, stream);
      const firing = tests.map((test) => test.alerts.length > 0);
      expect([rule.id, firing.includes(true), firing.includes(false)]).toEqual([rule.id, true, true]);
    }
  });
});
