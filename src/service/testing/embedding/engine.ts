import {
  begin,
  compileRuleSet,
  decodeKeyState,
  type EngineEvent,
  type EventCodec,
  encodeKeyState,
  eq,
  field,
  gt,
  type KeyState,
  type Match,
  PatternRunner,
  processKey,
} from '../../../engine/index.js';

const drain = begin('large')
  .where(gt(field('amount'), 10_000))
  .next('cash')
  .subtype('Withdrawal')
  .followedBy('offshore')
  .where(eq(field('country'), 'OFFSHORE'))
  .within(600_000)
  .build();

/** One pattern over one key; events come in order of time. */
export function matchesOf(events: readonly EngineEvent[]): readonly Match[] {
  const runner = new PatternRunner(drain);
  return events.flatMap((event) => runner.feed(event));
}

const rules = compileRuleSet([{ id: 'drain', pattern: drain }]);
const codec: EventCodec = {
  encode: (event) => new TextEncoder().encode(JSON.stringify(event)),
  decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes)) as EngineEvent,
};

/** Many patterns, many keys, and state that is bytes between two events: what a host of the engine does. */
export function alertsOf(events: readonly { readonly key: string; readonly event: EngineEvent }[]): readonly string[] {
  const stored = new Map<string, Uint8Array>();
  const found: string[] = [];
  for (const { key, event } of events) {
    const bytes = stored.get(key);
    const before: KeyState | undefined = bytes && decodeKeyState(bytes, rules, codec);
    const output = {
      slot: 0,
      onMatch: () => void found.push(`${rules.ids[output.slot]} ${key} ${event.time}`),
    };
    const after = processKey(rules, before, event, output);
    if (after === undefined) stored.delete(key);
    else stored.set(key, encodeKeyState(after, rules, codec));
  }
  return found;
}
