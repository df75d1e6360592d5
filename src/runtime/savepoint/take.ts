import { type History, type JournalEntry, journalPartition, readJournal } from '../journal/journal.js';
import { type Log, partitionName, type TopicPartition } from '../ports/log.js';
import type { PartitionState } from '../ports/state-store.js';
import { type Cut, decodeCut } from '../task/stored/cut.js';
import { entryBlocks, recordBlocks } from './blocks.js';
import { SavepointError } from './errors.js';
import { FRAME } from './file-format.js';
import { SavepointFileWriter } from './file-writer.js';
import type { SavepointHeader, SavepointPartition, SavepointRuleSet, SavepointTotals } from './header.js';
import { type StateView, viewOf } from './state-view.js';

export interface TakeOptions {
  readonly log: Log;
  /** Those that go into it. */
  readonly partitions: readonly TopicPartition[];
  readonly stateOf: (partition: TopicPartition) => Promise<Pick<PartitionState, 'cut' | 'entries'>>;
  /** Partitions without usable state are left out, for another machine has it; else they are refused. */
  readonly partial?: boolean;
  /** What the group has committed, by partition name; `null`: the service runs, and its cuts are at what it had committed. */
  readonly committed: ReadonlyMap<string, number> | null;
  readonly group: string;
  readonly stream: Pick<SavepointHeader, 'keyField'> & { readonly name: string };
  readonly journalTopic: string;
  /** The rule sets of today, for where the journal does not hold them yet. */
  readonly ruleSets: readonly { readonly digest: string; readonly body: Uint8Array }[];
  /** Of stakeout. */
  readonly release: string;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  readonly signal: AbortSignal;
  /** Keys written so far. */
  readonly onProgress?: (keys: number) => void;
}

export interface TakenSavepoint {
  /** Why partitions were left out. */
  readonly leftOut: readonly string[];
  readonly path: string;
  readonly bytes: number;
  readonly header: SavepointHeader;
  readonly totals: SavepointTotals;
}

interface Viewed {
  readonly partition: TopicPartition;
  readonly view: StateView;
  readonly cut: Cut;
  readonly committed: number;
}

/**
 * Writes what is stored of some partitions into one file, each as of its last cut.
 *
 * 1. The entries of a partition are those of its cut, also while the service goes on storing.
 * 2. All is streamed: a block of each kind is in memory at a time.
 * 3. The file has its name only when it is whole and on the disk.
 *
 * @throws SavepointError `SAVEPOINT_STATE`: a partition has no state, or none that can be used; `SAVEPOINT_IO`.
 */
export async function takeSavepoint(path: string, options: TakeOptions): Promise<TakenSavepoint> {
  const views: Viewed[] = [];
  try {
    const leftOut: string[] = [];
    for (const partition of options.partitions) {
      try {
        views.push(await viewed(partition, options));
      } catch (error) {
        const isLackOfState = error instanceof SavepointError && error.code === 'SAVEPOINT_STATE';
        if (options.partial !== true || !isLackOfState) throw error;
        leftOut.push(error.message);
      }
    }
    if (views.length === 0) throw noState('no partition has state here');
    const header = await headerOf(views, options);
    return { path, leftOut, ...(await write(path, header, views, options)) };
  } finally {
    for (const { view } of views) await view.close();
  }
}

async function viewed(partition: TopicPartition, options: TakeOptions): Promise<Viewed> {
  const name = partitionName(partition);
  const view = await viewOf(await options.stateOf(partition));
  if (view === null) throw noState(`${name} has no stored state`);
  try {
    const cut = decodeCut(view.cut);
    return { partition, view, cut, committed: await committedOf(partition, cut, options) };
  } catch (error) {
    await view.close();
    if (error instanceof SavepointError) throw error;
    throw noState(`the stored state of ${name} cannot be used (${(error as Error).message})`, error);
  }
}

function noState(what: string, cause?: unknown): SavepointError {
  return new SavepointError(
    'SAVEPOINT_STATE',
    `${what}. Start the service, let it come to the end of what it replays, and stop it in good order; or take the savepoint of ` +
      'the running service.',
    { cause },
  );
}

async function headerOf(views: readonly Viewed[], options: TakeOptions): Promise<SavepointHeader> {
  const { log, release, nowMs, group, stream, journalTopic } = options;
  const topics = await log.topics();
  const names = new Set(views.map(({ partition }) => partition.topic));
  const journal = new Journal(
    log,
    journalTopic,
    topics.find(({ name }) => name === journalTopic)?.partitions ?? 0,
    options,
  );
  const partitions: SavepointPartition[] = [];
  for (const { partition, view, cut, committed } of views) {
    const [position, rules, { topic, partition: number }] = [cut.position, cut.rules, partition];
    const watermark = Number.isFinite(cut.watermark) ? cut.watermark : null;
    const entries = await journal.between(partition, cut, committed);
    partitions.push({
      ...{ topic, partition: number, position, committed, watermark, rules },
      ...{ cut: view.cut, journal: entries },
    });
    await journal.addRuleSets(partition, [cut.rules, ...entries.map((e) => (e.kind === 'rules' ? e.digest : null))]);
  }
  return {
    ...{ release, createdAt: new Date(nowMs).toISOString(), group, stream: stream.name, keyField: stream.keyField },
    topics: topics
      .filter(({ name }) => names.has(name))
      .map(({ name, partitions: count }) => ({ name, partitions: count })),
    partitions,
    ruleSets: journal.ruleSets(views.map(({ cut }) => cut)),
  };
}

async function committedOf(
  partition: TopicPartition,
  cut: Cut,
  { log, committed, group }: TakeOptions,
): Promise<number> {
  const name = partitionName(partition);
  const { begin } = await log.offsets(partition);
  if (cut.refill < begin) {
    throw new SavepointError(
      'SAVEPOINT_STATE',
      `${name}: records from offset ${cut.refill} on were held back, but retention has left only those from ${begin} on. ` +
        'Start the service to see what can be done about it.',
    );
  }
  if (committed === null) return cut.position;
  const known = committed.get(name);
  if (known === undefined) throw noState(`the group ${group} has committed nothing in ${name}`);
  if (known >= cut.position) return known;
  throw noState(`${name}: the stored state is at offset ${cut.position}, ahead of the committed ${known}`);
}

/** The journals of the partitions, as far as a savepoint needs them. */
class Journal {
  private readonly bodies = new Map<string, Uint8Array>();
  private readonly wanted = new Set<string>();

  constructor(
    private readonly log: Log,
    private readonly topic: string,
    private readonly partitions: number,
    private readonly options: TakeOptions,
  ) {
    for (const { digest, body } of options.ruleSets) this.bodies.set(digest, body);
  }

  /** What took effect after the cut, up to what was committed. */
  async between(partition: TopicPartition, { journal, position }: Cut, committed: number): Promise<JournalEntry[]> {
    const { entries } = await this.read(partition, journal.from);
    return entries.filter(({ n, offset }) => n > journal.n && offset >= position && offset <= committed);
  }

  async addRuleSets(partition: TopicPartition, digests: readonly (string | null)[]): Promise<void> {
    const known = digests.filter((digest) => digest !== null);
    for (const digest of known) this.wanted.add(digest);
    if (known.some((digest) => !this.bodies.has(digest))) await this.read(partition, 0);
  }

  /** Those that are needed; one whose body the journal does not hold is left out. */
  ruleSets(cuts: readonly Cut[]): SavepointRuleSet[] {
    return [...this.wanted].flatMap((digest) => {
      const body = this.bodies.get(digest);
      const cut = cuts.find(({ rules }) => rules === digest);
      return body === undefined ? [] : [{ digest, rules: cut?.engines.flatMap(({ rules }) => rules) ?? [], body }];
    });
  }

  private async read(partition: TopicPartition, from: number): Promise<History> {
    if (this.partitions === 0) return { entries: [], bodies: new Map(), end: 0 };
    const at = journalPartition(this.topic, this.partitions, partition);
    const history = await readJournal(this.log, at, partition, from, this.options.signal);
    for (const [digest, body] of history.bodies) this.bodies.set(digest, Uint8Array.from(body));
    return history;
  }
}

async function write(
  path: string,
  header: SavepointHeader,
  views: readonly Viewed[],
  options: TakeOptions,
): Promise<Omit<TakenSavepoint, 'path' | 'leftOut'>> {
  const file = await SavepointFileWriter.create(path, header);
  try {
    const [keys, records]: [number[], number[]] = [[], []];
    let before = 0;
    for (const [place, viewed] of views.entries()) {
      const number = Buffer.alloc(4);
      number.writeUInt32LE(place);
      await file.frame(FRAME.partition, number);
      const written = await writeEntries(file, viewed.view, (count) => {
        options.signal.throwIfAborted();
        options.onProgress?.(before + count);
      });
      before += written;
      keys.push(written);
      records.push(await writeRecords(file, viewed, options));
    }
    const totals = { keys, records };
    return { bytes: await file.finish(totals), header, totals };
  } catch (error) {
    await file.abandon();
    throw error;
  }
}

async function writeEntries(
  file: SavepointFileWriter,
  view: StateView,
  onProgress: (keys: number) => void,
): Promise<number> {
  const blocks = entryBlocks();
  let count = 0;
  const flush = async (): Promise<void> => {
    const block = await blocks.finish();
    if (block !== null) await file.frame(FRAME.entries, block);
    onProgress(count);
  };
  for await (const entry of view.entries) {
    count++;
    if (blocks.add(entry)) await flush();
  }
  await flush();
  return count;
}

/** The records among which are those that are held back: without their topic, they are nowhere else. */
async function writeRecords(file: SavepointFileWriter, viewed: Viewed, { log, signal }: TakeOptions): Promise<number> {
  const { partition, cut } = viewed;
  if (cut.refill >= cut.position) return 0;
  const blocks = recordBlocks();
  let count = 0;
  const flush = async (): Promise<void> => {
    const block = await blocks.finish();
    if (block !== null) await file.frame(FRAME.records, block);
  };
  for await (const batch of log.read(partition, cut.refill, { to: cut.position, signal })) {
    for (const record of batch.records) {
      count++;
      if (blocks.add(record)) await flush();
    }
  }
  await flush();
  signal.throwIfAborted();
  return count;
}
