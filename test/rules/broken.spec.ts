import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventSchemaOf } from '../../src/connectors/avro/event-schema.js';
import { readAvroSchema } from '../../src/connectors/avro/schema.js';
import { formatDiagnostic, type KnownLists, parseRule } from '../../src/rules/index.js';

const avro = readAvroSchema(join(import.meta.dirname, '../../schemas/transaction.avsc'));
const schema = eventSchemaOf(avro, { stream: 'transactions', type: 'type' });
const golden = join(import.meta.dirname, 'broken.expected.txt');
const lists: KnownLists = new Map([
  ['sanctioned', 'set'],
  ['home', 'map'],
]);

interface Broken {
  readonly name: string;
  readonly text: string;
}

const sections: readonly Broken[] = readFileSync(join(import.meta.dirname, 'broken.txt'), 'utf8')
  .split(/^=== /m)
  .slice(1)
  .map((section) => {
    const end = section.indexOf('\n');
    const body = section.slice(end + 1);
    const isSteps = /^- (begin|next|where)/.test(body);
    const text = isSteps ? `id: broken\nkey: accountId\nwithin: 1h\npattern:\n${body.replace(/^(?=.)/gm, '  ')}` : body;
    return { name: section.slice(0, end), text };
  });

const told = ({ text }: Broken): string =>
  parseRule(text, 'broken/pattern.yaml', schema, { lists }).diagnostics.map(formatDiagnostic).join('\n');

describe('rules with mistakes', () => {
  it('are a hundred and more', () => {
    expect(sections.length).toBeGreaterThanOrEqual(100);
    expect(new Set(sections.map(({ name }) => name)).size).toBe(sections.length);
  });

  it('are each told something, with its place, and what to do next unless the message says it', () => {
    for (const section of sections) expect([section.name, told(section)]).not.toEqual([section.name, '']);
  });

  it('are told what the golden file says', () => {
    const text = sections.map((section) => `=== ${section.name}\n${told(section)}\n`).join('\n');
    if (process.env.UPDATE_GOLDEN !== undefined) writeFileSync(golden, text);
    expect(text).toBe(readFileSync(golden, 'utf8'));
  });
});
