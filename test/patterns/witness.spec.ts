import { join } from 'node:path';
import { eventSchemaOf } from '../../src/connectors/avro/event-schema.js';
import { readAvroSchema } from '../../src/connectors/avro/schema.js';
import { findWitness, loadRules } from '../../src/rules/index.js';

const root = join(import.meta.dirname, '../..');
const avro = readAvroSchema(join(root, 'schemas/transaction.avsc'));
const schema = eventSchemaOf(avro, { stream: 'transactions', type: 'type' });
const stream = { name: 'transactions', schema, idField: 'transactionId', timeField: 'eventTime', typeField: 'type' };
const { rules } = await loadRules([join(root, 'patterns')], { schemas: [schema] });

describe('a witness of a shipped pattern', () => {
  it.each(rules.filter((rule) => rule.streams.every((name) => name === stream.name)))('is found for $id', (rule) => {
    const { fires, justNot } = findWitness(rule, [stream]);
    expect([fires !== null, justNot !== null]).toEqual([true, true]);
  });
});
