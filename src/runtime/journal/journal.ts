import { partitionOfKey } from '../partitioner.js';
import { type Log, type LogRecord, type OutgoingRecord, partitionName, type TopicPartition } from '../ports/log.js';

/** What decides results beside the records, for one partition of the stream. */
export interface EntryPlace {
  /** Counts the entries of a partition, from 1. */
  readonly n: number;
  /** It took effect after all records before this offset, and before the record at it. */
  readonly offset: number;
}

/** From here on another rule set was in force. */
export interface RulesEntry extends EntryPlace {
  readonly kind: 'rules';
  readonly digest: string;
  /** Rules that ask for it were filled from the log: they know what follows from the records from here up to `offset`. */
  readonly fill?: number;
}

/** The partition was idle, and its clock was moved on. */
export interface TickEntry extends EntryPlace {
  readonly kind: 'tick';
  /** Milliseconds since 1970. */
  readonly watermark: number;
  /** True: what followed from it was committed with this entry. False: it was given out after it, at least once. */
  readonly given: boolean;
}

export type JournalEntry = RulesEntry | TickEntry;

/** How far a state has followed the journal. */
export interface JournalPlace {
  /** Number of the last entry that is in it; 0: none. */
  readonly n: number;
  /** An offset of the journal's partition before which there is no later entry. */
  readonly from: number;
}

export interface History {
  /** In order, each number once. */
  readonly entries: readonly JournalEntry[];
  /** Bodies of rule sets by digest, as far as they were written in what was read. */
  readonly bodies: ReadonlyMap<string, Uint8Array>;
  /** End of the journal's partition when it was read. */
  readonly end: number;
}

export const START_OF_JOURNAL: JournalPlace = { n: 0, from: 0 };

const RULES = 'rules/';
/** Entries are few and small, and are needed for as long as the records they belong to. */
export const JOURNAL_RETENTION_MS = Number.MAX_SAFE_INTEGER;

const text = new TextEncoder();
const utf8 = new TextDecoder();

/** Where the entries of a partition are. */
export function journalPartition(topic: string, partitions: number, of: TopicPartition): TopicPartition {
  return { topic, partition: partitionOfKey(text.encode(partitionName(of)), partitions) };
}

export function entryRecord(at: TopicPartition, of: TopicPartition, entry: JournalEntry): OutgoingRecord {
  return { ...at, key: text.encode(partitionName(of)), value: text.encode(JSON.stringify(entry)) };
}

/** Written beside each `RulesEntry`, so that who reads the entry finds the rules. */
export function bodyRecord(at: TopicPartition, digest: string, body: Uint8Array): OutgoingRecord {
  return { ...at, key: text.encode(`${RULES}${digest}`), value: body };
}

/** Reads what was committed of one partition's journal. `from` beyond its end (it was made anew): from its begin. */
export async function readJournal(
  log: Log,
  at: TopicPartition,
  of: TopicPartition,
  from: number,
  signal: AbortSignal,
): Promise<History> {
  const { begin, end } = await log.offsets(at);
  const name = partitionName(of);
  const entries = new Map<number, JournalEntry>();
  const bodies = new Map<string, Uint8Array>();
  for await (const batch of log.read(at, from > end ? begin : Math.max(begin, from), { to: end, signal })) {
    for (const record of batch.records) {
      const key = record.key === null ? '' : utf8.decode(record.key);
      if (key.startsWith(RULES) && record.value !== null) bodies.set(key.slice(RULES.length), record.value);
      if (key !== name) continue;
      const entry = entryOf(record);
      // A number comes again only where a start was cut off before it used the entry: the later one holds.
      if (entry !== null) entries.set(entry.n, entry);
    }
  }
  // Reading that was given up ends like reading that came to its end.
  signal.throwIfAborted();
  return { entries: [...entries.values()].sort((a, b) => a.n - b.n), bodies, end };
}

function own(entries: Map<string, JournalEntry[]>, name: string): JournalEntry[] {
  const known = entries.get(name) ?? [];
  entries.set(name, known);
  return known;
}

/** What was committed of the journals of all partitions that have their entries in one partition of the topic. */
export async function readJournals(
  log: Log,
  at: TopicPartition,
  signal: AbortSignal,
): Promise<{ readonly entries: ReadonlyMap<string, readonly JournalEntry[]>; readonly bodies: History['bodies'] }> {
  const { begin, end } = await log.offsets(at);
  const entries = new Map<string, JournalEntry[]>();
  const bodies = new Map<string, Uint8Array>();
  for await (const batch of log.read(at, begin, { to: end, signal })) {
    for (const record of batch.records) {
      const key = record.key === null ? '' : utf8.decode(record.key);
      const entry = entryOf(record);
      if (key.startsWith(RULES) && record.value !== null) bodies.set(key.slice(RULES.length), record.value);
      else if (entry !== null) own(entries, key).push(entry);
    }
  }
  signal.throwIfAborted();
  return { entries, bodies };
}

function entryOf(record: LogRecord): JournalEntry | null {
  if (record.value === null) return null;
  try {
    const entry = JSON.parse(utf8.decode(record.value)) as JournalEntry;
    return entry.kind === 'rules' || entry.kind === 'tick' ? entry : null;
  } catch {
    // Not ours: someone wrote to the topic by hand.
    return null;
  }
}
