import { decodeKeyState, encodeKeyState } from '../../src/engine/index.js';

/** Events as JSON: what is decoded is never the very object that was encoded. */
const codec = {
  encode: (event) => new TextEncoder().encode(JSON.stringify(event)),
  decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes)),
};
/** Nothing under way is no bytes. */
export const bytesOf = (state, rules) => state && encodeKeyState(state, rules, codec);
/** The bytes as text, which is quick to compare. */
export const hexOf = (state, rules) => Buffer.from(bytesOf(state, rules) ?? []).toString('hex');
export const stateOf = (bytes, rules) => bytes && decodeKeyState(bytes, rules, codec);
/** Written to bytes and read again. */
export const throughBytes = (state, rules) => stateOf(bytesOf(state, rules), rules);
