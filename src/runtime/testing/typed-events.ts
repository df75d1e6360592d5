import { type EngineEvent, type EventCodec, eq, field, type Pattern } from '../../engine/index.js';
import type { Rule } from '../../rules/rule.js';

/** An event of which the type is all that matters, and its key. */
export interface TypedRow {
  readonly key: string;
  readonly event: EngineEvent;
}

export const is = (type: string) => eq(field('type'), type);

export const ruleOf = (id: string, pattern: Pattern, more: Partial<Rule> = {}): Rule => ({
  ...{ id, title: id, status: 'live', key: 'k', pattern, tags: [], revision: '1', source: id, fields: ['type'] },
  ...{ keyBy: { form: 'one', field: 'k' }, streams: [], alert: { severity: 'low', score: 1, message: [] } },
  ...more,
});

export const rowOf = (key: string, type: string, time: number, seq: number): TypedRow => ({
  key,
  event: { time, seq, kind: type, fields: { type } },
});

/** `x a7`: an event of type a of the key x, at 7. */
export const rowsOf = (...texts: string[]): readonly TypedRow[] =>
  texts.map((text, i) => {
    const [, key, type, time] = /^(\w+) (\w)(\d+)$/.exec(text)!;
    return rowOf(key!, type!, Number(time), i + 1);
  });

/** Writes the numbers of the events alone, which are those of the rows from 1 on. `decoded`: how often one was read. */
export function codecOf(rows: readonly TypedRow[]): EventCodec & { decoded: number } {
  const codec = {
    decoded: 0,
    encode: (event: EngineEvent) => new TextEncoder().encode(String(event.seq)),
    decode: (bytes: Uint8Array) => {
      codec.decoded++;
      return rows[Number(new TextDecoder().decode(bytes)) - 1]!.event;
    },
  };
  return codec;
}
