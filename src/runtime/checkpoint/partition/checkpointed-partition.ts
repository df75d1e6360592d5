import type { EntryBlock } from '../../ports/entry-block.js';
import { partitionName, type TopicPartition } from '../../ports/log.js';
import { type PartitionState, type StateBatch, type StateEntry, StateStoreError } from '../../ports/state-store.js';
import { CheckpointStoppedError } from '../files/abortable.js';
import { Catalog } from '../files/catalog.js';
import { CheckpointNames } from '../files/names.js';
import { Gate } from '../gate.js';
import type { CheckpointDone, CheckpointOptions, CheckpointStatus } from '../options.js';
import { type Outcome, Schedule } from '../schedule.js';
import { Checkpointer } from './checkpointer.js';
import { Copies } from './copies.js';
import { TrackedState } from './tracked-state.js';

const CHANGED_BYTES_MAX = 64 * 1024 * 1024;

/**
 * One partition, as long as the process lives: now owned, now followed, now neither.
 *
 * Invariants
 * 1. It is followed only while nobody here owns it, and given out only when following has ended: `turnstile`.
 * 2. Checkpoints are written only while it is owned, from its first write on: before, the state is being restored.
 */
export class CheckpointedPartition {
  private readonly turnstile = new Gate();
  private readonly state: TrackedState;
  private readonly catalog: Catalog;
  private readonly checkpointer: Checkpointer;
  private readonly copies: Copies;
  private readonly schedule: Schedule;
  private owned: OwnedState | null = null;
  private stopped = new AbortController();
  private counts = noCounts();

  constructor(
    private readonly partition: TopicPartition,
    private readonly options: CheckpointOptions,
    inner: PartitionState,
    slots: Gate,
  ) {
    const { clock, group, turn, report, changedBytesMax = CHANGED_BYTES_MAX } = options;
    this.state = new TrackedState(inner, turn, changedBytesMax);
    this.catalog = new Catalog(partition, new CheckpointNames(group, partition), report);
    this.checkpointer = new Checkpointer(partition, this.state, this.catalog, options, slots);
    this.copies = new Copies(partition, this.state, this.catalog, options);
    this.schedule = new Schedule(clock, options, () => this.checkpoint());
  }

  get isOwned(): boolean {
    return this.owned !== null;
  }

  /** For its owner. Waits until following has ended. */
  async own(): Promise<PartitionState> {
    while (this.owned?.isReleased === true) await this.owned.release();
    if (this.owned !== null) {
      const { owned } = this;
      owned.startAgain();
      await this.turnstile.run(async () => undefined);
      return owned;
    }
    const { state, copies, checkpointer } = this;
    const owned = new OwnedState(state, copies, checkpointer, {
      written: () => this.written(),
      release: () => this.release(owned),
    });
    this.owned = owned;
    this.stopped = new AbortController();
    this.counts = noCounts();
    try {
      await this.turnstile.run(async () => this.state.use(await this.options.inner.partition(this.partition)));
    } catch (error) {
      this.owned = null;
      throw error;
    }
    return owned;
  }

  /** Brings it to the newest checkpoint, unless it is owned. Says whether it moved. */
  follow(stopped: AbortSignal): Promise<boolean> {
    return this.turnstile.run(async () => {
      if (this.owned !== null) return false;
      this.state.use(await this.options.inner.partition(this.partition));
      return this.copies.follow(stopped);
    });
  }

  /** Gives up a checkpoint under way. */
  async stop(): Promise<void> {
    this.stopped.abort(new CheckpointStoppedError(`${partitionName(this.partition)} was given up`));
    await this.schedule.stop();
    if (this.counts.degraded) this.options.listener?.onRecovered?.(this.partition);
    this.counts = noCounts();
  }

  status(): CheckpointStatus {
    return { ...this.partition, ...this.counts, changedBytes: this.state.changedBytes };
  }

  private async release(owned: OwnedState): Promise<void> {
    if (this.owned !== owned) return;
    await this.stop();
    await this.turnstile.run(() => this.state.release());
    this.owned = null;
  }

  private written(): void {
    if (this.stopped.signal.aborted) return;
    this.schedule.start();
    if (this.state.isFilling) this.schedule.soon();
  }

  private async checkpoint(): Promise<Outcome> {
    try {
      const done = await this.checkpointer.write(this.stopped.signal);
      if (done === null) return 'nothing';
      this.succeeded(done);
      return 'done';
    } catch (error) {
      if (this.stopped.signal.aborted) return 'nothing';
      this.failed(error as Error);
      return 'failed';
    }
  }

  private succeeded(done: CheckpointDone): void {
    const { listener, report } = this.options;
    const { counts } = this;
    if (counts.failedInRow > 0) report(`${partitionName(this.partition)}: checkpoints are written again`);
    if (counts.degraded) listener?.onRecovered?.(this.partition);
    this.counts = {
      ...counts,
      ...{ last: done, written: counts.written + 1, bytesWritten: counts.bytesWritten + done.bytes },
      ...{ failedInRow: 0, degraded: false },
    };
    listener?.onCheckpoint?.(this.partition, done);
  }

  private failed(error: Error): void {
    const { listener, report, tolerated } = this.options;
    const { failed, failedInRow, degraded } = this.counts;
    const isDegraded = failedInRow + 1 > tolerated;
    this.counts = {
      ...this.counts,
      ...{ failed: failed + 1, failedInRow: failedInRow + 1, lastFailure: error.message, degraded: isDegraded },
    };
    report(`${partitionName(this.partition)}: a checkpoint failed and will be tried again: ${error.message}`);
    listener?.onFailure?.(this.partition, error);
    if (isDegraded && !degraded) listener?.onDegraded?.(this.partition, error);
  }
}

type Counts = Omit<CheckpointStatus, 'topic' | 'partition' | 'changedBytes'>;

function noCounts(): Counts {
  return {
    ...{ last: null, written: 0, bytesWritten: 0 },
    ...{ failed: 0, failedInRow: 0, lastFailure: null, degraded: false },
  };
}

interface Owner {
  written(): void;
  release(): Promise<void>;
}

/** What an owner has of the partition until it releases it. */
class OwnedState implements PartitionState {
  private released: Promise<void> | null = null;
  /** Number of the copy that was put in last. */
  private copyNumber = Number.POSITIVE_INFINITY;
  private readonly stopped = new AbortController();

  constructor(
    private readonly state: TrackedState,
    private readonly copies: Copies,
    private readonly checkpointer: Checkpointer,
    private readonly owner: Owner,
  ) {}

  get isReleased(): boolean {
    return this.released !== null;
  }

  /** The partition was assigned again without having been released. */
  startAgain(): void {
    this.copyNumber = Number.POSITIVE_INFINITY;
  }

  cut(): Promise<Uint8Array | null> {
    return this.state.cut();
  }

  entries(): AsyncIterable<StateEntry> {
    return this.state.entries();
  }

  blocks(): AsyncIterable<EntryBlock> {
    return this.state.blocks();
  }

  async write(batch: StateBatch): Promise<void> {
    await this.state.write(batch, this.assertOwned);
    this.owner.written();
  }

  clear(): Promise<void> {
    return this.state.clear(this.assertOwned);
  }

  async restoreCopy(atOrBefore: number): Promise<boolean> {
    this.assertOwned();
    const copy = await this.copies.restore(atOrBefore, this.copyNumber, this.stopped.signal);
    if (copy !== null) this.copyNumber = copy.number;
    return copy !== null;
  }

  async newestCopy(atOrBefore: number): Promise<number | null> {
    const copy = await this.copies.newest(atOrBefore, this.copyNumber, this.stopped.signal);
    return copy === null ? null : copy.position;
  }

  async forgetCopies(): Promise<void> {
    await this.clear();
    await this.checkpointer.writeReset();
  }

  release(): Promise<void> {
    this.stopped.abort(new CheckpointStoppedError('the partition was given up'));
    this.released ??= this.owner.release();
    return this.released;
  }

  private readonly assertOwned = () => {
    if (this.released !== null) throw new StateStoreError('STATE_IO', 'the partition was given up');
  };
}
