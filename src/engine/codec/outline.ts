import { ByteReader, type ByteWriter } from '../bytes.js';
import type { KeyState } from '../ruleset/key-state.js';
import { countRuns, nextKeyDeadline, type RuleSet } from '../ruleset/rule-set.js';

/**
 * What can be known of a key state from its bytes without reading it: at the end, in a fixed place, stand the time at which something
 * is due and the number of its runs; and its events can be found without decoding them. So a million keys can be at hand without being
 * read.
 */
export const KEY_STATE_VERSION = 4;
/** Those without an outline: the first has no windows among its patterns. */
const WITHOUT_OUTLINE: readonly number[] = [2, 3];
const RUNS_BYTES = 4;
const OUTLINE_BYTES = 8 + RUNS_BYTES;

export class KeyStateVersionError extends Error {
  readonly code = 'KEY_STATE_VERSION';
}

/** Whether states of this version can be read. */
export const readsKeyStateVersion = (version: number): boolean =>
  version === KEY_STATE_VERSION || WITHOUT_OUTLINE.includes(version);

/** Throws `KeyStateVersionError`. */
export function readVersion(input: ByteReader): number {
  const version = input.varint();
  if (readsKeyStateVersion(version)) return version;
  const known = `${WITHOUT_OUTLINE.join(', ')} and ${KEY_STATE_VERSION}`;
  throw new KeyStateVersionError(`key state of version ${version}; this engine reads versions ${known}`);
}

export function writeOutline(out: ByteWriter, rules: RuleSet, state: KeyState): void {
  out.double(nextKeyDeadline(rules, state));
  out.word(countRuns(state));
}

/** Throws `RangeError` when it is not there. */
export function passOutline(input: ByteReader, version: number): void {
  if (version === KEY_STATE_VERSION) input.skip(OUTLINE_BYTES);
}

/** Whether the key state whose bytes begin at `start` says `deadlineBefore` and `runsBefore`. */
export const hasOutline = (bytes: Uint8Array, start: number): boolean => bytes[start] === KEY_STATE_VERSION;

/** `nextKeyDeadline` of the state whose bytes end before `end`. */
export const deadlineBefore = (bytes: DataView, end: number): number => bytes.getFloat64(end - OUTLINE_BYTES, true);

/** `countRuns` of the state whose bytes end before `end`. */
export const runsBefore = (bytes: DataView, end: number): number => bytes.getUint32(end - RUNS_BYTES, true);

/**
 * Tells where the encoded events inside a key state lie, whose bytes are in `input` from where it is on: for a host that must get ready
 * (fetch schemas) before it decodes them. Throws `KeyStateVersionError`, `RangeError`.
 */
export function visitEvents(input: ByteReader, visit: (start: number, end: number) => void): void {
  readVersion(input);
  for (let left = input.varint(); left > 0; left--) {
    const length = input.varint();
    visit(input.position, input.position + length);
    input.skip(length);
  }
}

/** The encoded events inside a key state, as views. */
export function encodedEvents(bytes: Uint8Array): Uint8Array[] {
  const events: Uint8Array[] = [];
  visitEvents(new ByteReader(bytes), (start, end) => events.push(bytes.subarray(start, end)));
  return events;
}
