import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventSchemaOf } from '../../src/connectors/avro/event-schema.js';
import { readAvroSchema } from '../../src/connectors/avro/schema.js';
import { loadRules, parseRule } from '../../src/rules/index.js';

const root = join(import.meta.dirname, '../..');
const schema = eventSchemaOf(readAvroSchema(join(root, 'schemas/transaction.avsc')), {
  stream: 'transactions',
  type: 'type',
});

/** What a hand slips into a file. */
const SLIPS = ['', 'x', ' ', '\n', '"', "'", '{', ']', ':', '#', '!', '&', '*', '\t', '}}', '🙂'];

/** Prime, so that all slips meet all kinds of places. */
const STRIDE = 13;

describe('shipped patterns with one slip somewhere', () => {
  it('are read or refused, never thrown at, and every finding lies in the file', async () => {
    const { rules } = await loadRules([join(root, 'patterns')]);
    let refused = 0;
    for (const { source } of rules) {
      const text = readFileSync(source, 'utf8');
      for (let at = 0; at < text.length; at += STRIDE) {
        const slip = SLIPS[(at / STRIDE) % SLIPS.length]!;
        const damaged = text.slice(0, at) + slip + text.slice(at + (slip === '' ? 1 : 0));
        const { rule, diagnostics } = parseRule(damaged, source, schema);
        const lines = damaged.split('\n').map((line) => line.replace(/\r$/, ''));
        for (const d of diagnostics) {
          expect(d.excerpt).toBe(lines[d.line - 1]);
          expect(d.column).toBeGreaterThanOrEqual(1);
          expect(d.column).toBeLessThanOrEqual(d.excerpt.length + 1);
          expect(d.length).toBeGreaterThanOrEqual(1);
        }
        if (rule === null) {
          expect(diagnostics.some((d) => d.severity === 'error')).toBe(true);
          refused++;
        }
      }
    }
    expect(refused).toBeGreaterThan(200);
  });
});
