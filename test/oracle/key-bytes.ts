import {
  decodeKeyState,
  type EngineEvent,
  type EventCodec,
  encodeKeyState,
  type KeyState,
  type RuleSet,
} from '../../src/engine/index.js';

/** Events as JSON: what is decoded is never the very object that was encoded. */
const codec: EventCodec = {
  encode: (event) => new TextEncoder().encode(JSON.stringify(event)),
  decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes)) as EngineEvent,
};

/** Nothing under way is no bytes. */
export const bytesOf = (state: KeyState | undefined, rules: RuleSet): Uint8Array | undefined =>
  state && encodeKeyState(state, rules, codec);

/** The bytes as text, which is quick to compare. */
export const hexOf = (state: KeyState | undefined, rules: RuleSet): string =>
  Buffer.from(bytesOf(state, rules) ?? []).toString('hex');

export const stateOf = (bytes: Uint8Array | undefined, rules: RuleSet): KeyState | undefined =>
  bytes && decodeKeyState(bytes, rules, codec);

/** Written to bytes and read again. */
export const throughBytes = (state: KeyState | undefined, rules: RuleSet): KeyState | undefined =>
  stateOf(bytesOf(state, rules), rules);
