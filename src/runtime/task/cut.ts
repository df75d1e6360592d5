import { ByteReader, ByteWriter, KEY_STATE_VERSION } from '../../engine/index.js';
import { type JournalPlace, START_OF_JOURNAL } from '../journal/journal.js';
import type { UpstreamsState } from '../repartition/upstreams.js';
import type { DetectionState } from './detection.js';

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
  /** Slots of each engine when the cut was made: key field, and rule ids with their revisions. */
  readonly engines: readonly CutEngine[];
}

export interface CutEngine {
  readonly keyField: string;
  readonly rules: readonly { readonly id: string; readonly revision: string }[];
  /** Windows of features, as key states number them. */
  readonly windows: readonly string[];
}

const CUT_VERSION = 3;
/** The last version without `journal` and `rules`. */
const BEFORE_JOURNAL = 2;
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
  out.byteString(text.encode(JSON.stringify(cut.upstreams)));
  return out.finish();
}

/** Throws `CutVersionError` for a cut that another version wrote, `RangeError` for bytes that are not whole. */
export function decodeCut(bytes: Uint8Array): Cut {
  const input = new ByteReader(bytes);
  const [version, keyVersion] = [input.varint(), input.varint()];
  if ((version !== CUT_VERSION && version !== BEFORE_JOURNAL) || keyVersion !== KEY_STATE_VERSION) {
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
  if (version === BEFORE_JOURNAL) return { ...cut, journal: START_OF_JOURNAL, rules: null, upstreams: null };
  const journal = { n: input.varint(), from: input.varint() };
  const rules = decoder.decode(input.byteString()) || null;
  return { ...cut, journal, rules, upstreams: JSON.parse(decoder.decode(input.byteString())) as UpstreamsState | null };
}
