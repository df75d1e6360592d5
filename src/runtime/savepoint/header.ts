import type { JournalEntry } from '../journal/journal.js';
import type { TopicInfo, TopicPartition } from '../ports/log.js';
import { SavepointError } from './errors.js';

/** What a savepoint says of one partition. */
export interface SavepointPartition extends TopicPartition {
  /** Records below are in the state. */
  readonly position: number;
  /**
   * Records below were processed, and what follows from them was given out; those from `position` on are replayed after a restore.
   * More than `position` only where a service did not stop in good order.
   */
  readonly committed: number;
  /** Event time in ms up to which all is processed; `null`: no event yet. */
  readonly watermark: number | null;
  /** Digest of the rule set in force at `position`; `null`: an older release kept no journal. */
  readonly rules: string | null;
  /** As the state store holds it. */
  readonly cut: Uint8Array;
  /** What the journal says of the records from `position` to `committed`. */
  readonly journal: readonly JournalEntry[];
}

export interface SavepointRuleSet {
  readonly digest: string;
  /** Empty where no state is of them. */
  readonly rules: readonly { readonly id: string; readonly revision: string }[];
  /** As the journal holds it: enough to run the rules again. */
  readonly body: Uint8Array;
}

/** The first part of a savepoint: all but the keys. */
export interface SavepointHeader {
  /** Of stakeout, that wrote it. */
  readonly release: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Consumer group. */
  readonly group: string;
  readonly stream: string;
  /** Field that the topics are keyed by; `null`: the record's key. */
  readonly keyField: string | null;
  /** The topics with all of their partitions, of which the savepoint may hold some only. */
  readonly topics: readonly TopicInfo[];
  readonly partitions: readonly SavepointPartition[];
  readonly ruleSets: readonly SavepointRuleSet[];
}

/** The last part of a savepoint; lists are in order of the header's partitions. */
export interface SavepointTotals {
  readonly keys: readonly number[];
  /** Records among which are those that were held back. */
  readonly records: readonly number[];
}

const FORMAT = 'stakeout-savepoint';
/** Rises when earlier releases can no longer read what is written. */
export const SAVEPOINT_VERSION = 1;

type Base64<T, K extends keyof T> = Omit<T, K> & Readonly<Record<K, string>>;

interface StoredHeader extends Omit<SavepointHeader, 'partitions' | 'ruleSets'> {
  readonly format: string;
  readonly version: number;
  readonly partitions: readonly Base64<SavepointPartition, 'cut'>[];
  readonly ruleSets: readonly Base64<SavepointRuleSet, 'body'>[];
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64'));

export function encodeHeader(header: SavepointHeader): Uint8Array {
  const stored: StoredHeader = {
    ...{ format: FORMAT, version: SAVEPOINT_VERSION },
    ...header,
    partitions: header.partitions.map((p) => ({ ...p, cut: base64(p.cut) })),
    ruleSets: header.ruleSets.map((r) => ({ ...r, body: base64(r.body) })),
  };
  return new TextEncoder().encode(JSON.stringify(stored));
}

/**
 * @param file for messages.
 * @param release this one's.
 * @throws SavepointError `SAVEPOINT_VERSION`, naming both versions; `SAVEPOINT_FOREIGN`.
 */
export function decodeHeader(bytes: Uint8Array, file: string, release: string): SavepointHeader {
  const { format, version, ...stored } = parsed(bytes, file);
  if (format !== FORMAT) throw new SavepointError('SAVEPOINT_FOREIGN', `${file} is no savepoint of stakeout`);
  if (version > SAVEPOINT_VERSION) {
    throw new SavepointError(
      'SAVEPOINT_VERSION',
      `${file} has version ${version} of the format, written by stakeout ${stored.release}; this release, ${release}, reads ` +
        `up to version ${SAVEPOINT_VERSION}. Restore it with ${stored.release} or later.`,
    );
  }
  return {
    ...stored,
    partitions: stored.partitions.map((p) => ({ ...p, cut: bytesOf(p.cut) })),
    ruleSets: stored.ruleSets.map((r) => ({ ...r, body: bytesOf(r.body) })),
  };
}

function parsed(bytes: Uint8Array, file: string): StoredHeader {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as StoredHeader;
  } catch (error) {
    throw new SavepointError('SAVEPOINT_DAMAGED', `${file} is damaged: its header is no JSON`, { cause: error });
  }
}
