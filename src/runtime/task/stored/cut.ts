import { ByteReader, ByteWriter, KEY_STATE_VERSION, readsKeyStateVersion } from '../../../engine/index.js';
import { type JournalPlace, START_OF_JOURNAL } from '../../journal/journal.js';
import type { UpstreamsState } from '../../repartition/upstreams.js';
import type { DetectionState } from '../detection.js';
import type { StoppedRule } from '../keyed/quarantine.js';
import type { Origins } from './origins.js';

/**
 * A cut: what a partition's keys in the state store belong to. Records below `position` are in it. Those from `refill` on
 * whose event time is above the watermark were still held back; they are read again on restore, so that the order buffer
 * itself need not be stored: everything at or before the watermark was processed or late.
 */
export interface Cut extends DetectionState {
  readonly position: number;
  readonly refill: number;
  /** How far the journal is in it. */
  readonly journal: JournalPlace;
  /** Digest of the rule set that is in force from `position` on; `null`: an older release wrote it. */
  readonly rules: string | null;
  /** Where its keys were before; `null`: here, or it matters no more. */
  readonly origins: Origins | null;
  /** How keys are stored: the slots of each engine, and of earlier ones some keys of which have not been written anew since. */
  readonly engines: readonly CutEngine[];
}

export interface CutEngine {
  readonly keyField: string;
  readonly rules: readonly { readonly id: string; readonly revision: string }[];
  /** Windows of features, as key states number them. */
  readonly windows: readonly string[];
  /** First byte of its keys in the store; absent: its place. */
  readonly number?: number;
  /** Rules of it that were stopped; absent: none. */
  readonly stopped?: readonly StoppedRule[];
}

const CUT_VERSION = 6;
/** The last version whose windows of features are in the entry of their key. */
const BEFORE_BLOCKS = 5;
/** The last version whose keys are one entry each. */
const BEFORE_CHUNKS = 4;
/** The last version without `origins`. */
const BEFORE_ORIGINS = 3;
/** The last version without `journal` and `rules`. */
const BEFORE_JOURNAL = 2;
const READABLE: readonly number[] = [CUT_VERSION, BEFORE_BLOCKS, BEFORE_CHUNKS, BEFORE_ORIGINS, BEFORE_JOURNAL];
const text = new TextEncoder();
const decoder = new TextDecoder();

export class CutVersionError extends Error {
  readonly code = 'CUT_VERSION';
}

export function encodeCut(cut: Cut): Uint8Array {
  const out = new ByteWriter();
  out.varint(CUT_VERSION);
  out.varint(KEY_STATE_VERSION);
  out.varint(cut.position);
  out.varint(cut.refill);
  out.double(cut.maxTime);
  out.double(cut.watermark);
  out.varint(cut.nextSeq);
  out.byteString(text.encode(JSON.stringify(cut.engines)));
  out.varint(cut.journal.n);
  out.varint(cut.journal.from);
  out.byteString(text.encode(cut.rules ?? ''));
  const watermarks = cut.origins?.watermarks ?? [];
  out.varint(watermarks.length);
  for (const watermark of watermarks) out.double(watermark);
  out.byteString(text.encode(JSON.stringify(cut.upstreams)));
  return out.finish();
}

/** Throws `CutVersionError` for a cut that another version wrote, `RangeError` for bytes that are not whole. */
export function decodeCut(bytes: Uint8Array): Cut {
  const input = new ByteReader(bytes);
  const [version, keyVersion] = [input.varint(), input.varint()];
  if (!READABLE.includes(version) || !readsKeyStateVersion(keyVersion)) {
    throw new CutVersionError(
      `state of version ${version}.${keyVersion}; this release reads ${CUT_VERSION}.${KEY_STATE_VERSION}`,
    );
  }
  const cut = {
    position: input.varint(),
    refill: input.varint(),
    maxTime: input.double(),
    watermark: input.double(),
    nextSeq: input.varint(),
    engines: JSON.parse(decoder.decode(input.byteString())) as CutEngine[],
  };
  if (version === BEFORE_JOURNAL)
    return { ...cut, journal: START_OF_JOURNAL, rules: null, origins: null, upstreams: null };
  const journal = { n: input.varint(), from: input.varint() };
  const rules = decoder.decode(input.byteString()) || null;
  if (version === BEFORE_ORIGINS) return { ...cut, journal, rules, origins: null, upstreams: null };
  const origins = readOrigins(input);
  const upstreams = JSON.parse(decoder.decode(input.byteString())) as UpstreamsState | null;
  return { ...cut, journal, rules, origins, upstreams };
}

function readOrigins(input: ByteReader): Origins | null {
  const watermarks = Array.from({ length: input.varint() }, () => input.double());
  return watermarks.length === 0 ? null : { watermarks };
}
