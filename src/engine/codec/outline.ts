import { visitBlocks } from '../aggregate/feature-codec.js';
import { ByteReader, type ByteWriter } from '../bytes.js';
import type { KeyState } from '../ruleset/key-state.js';
import { countRuns, nextKeyDeadline, type RuleSet } from '../ruleset/rule-set.js';

/**
 * What can be known of a key state from its bytes without reading it: at the end, in a fixed place, stand the time at which something
 * is due and the number of its runs; and its events can be found without decoding them. So a million keys can be at hand without being
 * read.
 */
export const KEY_STATE_VERSION = 5;
/** The last version whose windows of features are one block each, and come after the patterns. */
const BEFORE_BLOCKS = 4;
/** Those without an outline: the first has no windows among its patterns. */
const WITHOUT_OUTLINE: readonly number[] = [2, 3];
const RUNS_BYTES = 4;
const OUTLINE_BYTES = 8 + RUNS_BYTES;

export class KeyStateVersionError extends Error {
  readonly code = 'KEY_STATE_VERSION';
}

/** Whether states of this version can be read. */
export const readsKeyStateVersion = (version: number): boolean =>
  version === KEY_STATE_VERSION || version === BEFORE_BLOCKS || WITHOUT_OUTLINE.includes(version);

/** Whether windows of features are in blocks, and come right after the events. */
export const hasBlocks = (version: number): boolean => version > BEFORE_BLOCKS;

/** Throws `KeyStateVersionError`. */
export function readVersion(input: ByteReader): number {
  const version = input.varint();
  if (readsKeyStateVersion(version)) return version;
  const known = `${[...WITHOUT_OUTLINE, BEFORE_BLOCKS].join(', ')} and ${KEY_STATE_VERSION}`;
  throw new KeyStateVersionError(`key state of version ${version}; this engine reads versions ${known}`);
}

export function writeOutline(out: ByteWriter, rules: RuleSet, state: KeyState): void {
  out.double(nextKeyDeadline(rules, state));
  out.word(countRuns(state));
}

/** Throws `RangeError` when it is not there. */
export function passOutline(input: ByteReader, version: number): void {
  if (version >= BEFORE_BLOCKS) input.skip(OUTLINE_BYTES);
}

/** Whether the key state whose bytes begin at `start` says `deadlineBefore` and `runsBefore`. */
export const hasOutline = (bytes: Uint8Array, start: number): boolean =>
  bytes[start] === KEY_STATE_VERSION || bytes[start] === BEFORE_BLOCKS;

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

/**
 * Tells where the blocks of windows of features inside a key state lie, whose bytes are in `input` from right behind its events on: for
 * a host that stores them apart. Each has its length before it. Throws `RangeError`.
 */
export function visitWindowBlocks(
  version: number,
  input: ByteReader,
  visit: (lengthStart: number, start: number, end: number) => void,
): void {
  if (hasBlocks(version)) visitBlocks(input, visit);
}

/** The encoded events inside a key state, as views. */
export function encodedEvents(bytes: Uint8Array): Uint8Array[] {
  const events: Uint8Array[] = [];
  visitEvents(new ByteReader(bytes), (start, end) => events.push(bytes.subarray(start, end)));
  return events;
}
