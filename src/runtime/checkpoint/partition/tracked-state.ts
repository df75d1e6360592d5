import { blocksOf, type EntryBlock } from '../../ports/entry-block.js';
import type { PartitionState, StateBatch, StateEntry } from '../../ports/state-store.js';
import { bytesOf, deltasBetween, filesOf, type Manifest } from '../files/manifest.js';
import type { Change } from '../files/part-codec.js';
import type { FileSource } from '../files/read-files.js';
import { Gate } from '../gate.js';
import type { CheckpointKind } from '../options.js';
import { applyFiles, isUnfinished } from './apply.js';
import { ChangeSet } from './changes.js';

/** What goes into the next checkpoint. */
export interface Plan {
  readonly kind: CheckpointKind;
  readonly cut: Uint8Array;
  readonly position: number;
  /** To be read once. */
  readonly changes: Iterable<Change> | AsyncIterable<Change>;
  /** What it is a continuation of; `null` for a base. */
  readonly basis: Manifest | null;
  readonly taken: ChangeSet | null;
  readonly epoch: number;
}

/** More deltas than these are slow to read back. */
const DELTAS_MAX = 20;

/**
 * The state on this machine, and how it differs from the newest checkpoint.
 *
 * Invariants
 * 1. With a `basis`: the state is what the basis says, and then what `changes` says, with the cut `held`.
 * 2. Nothing is written between a cut and the beginning of the listing that belongs to it: both happen within the gate.
 * 3. After a write that failed nothing is known: the next checkpoint is a base, of a later cut.
 * 4. `epoch` rises when the state is replaced; a plan of another epoch changes nothing here.
 */
export class TrackedState {
  private readonly gate = new Gate();
  private changes: ChangeSet;
  private basis: Manifest | null = null;
  private held: { readonly cut: Uint8Array; readonly position: number } | null = null;
  private baseUnderWay = false;
  private epoch = 0;

  constructor(
    private inner: PartitionState,
    private readonly turn: () => Promise<void>,
    private readonly changedBytesMax: number,
  ) {
    this.changes = new ChangeSet(changedBytesMax);
  }

  get changedBytes(): number {
    return this.changes.bytes;
  }

  /** What is remembered is more than half of what may be. */
  get isFilling(): boolean {
    return this.changes.hasOverflowed || this.changes.bytes > this.changedBytesMax / 2;
  }

  /** The checkpoint that the state continues. */
  get continues(): Manifest | null {
    return this.basis;
  }

  /** The store gave out the partition again. */
  use(inner: PartitionState): void {
    this.inner = inner;
  }

  /** `null`: none, or a copy that was not put in whole. */
  async cut(): Promise<Uint8Array | null> {
    const cut = await this.inner.cut();
    return cut === null || isUnfinished(cut) ? null : cut;
  }

  entries(): AsyncIterable<StateEntry> {
    return this.inner.entries();
  }

  blocks(): AsyncIterable<EntryBlock> {
    return this.inner.blocks?.() ?? blocksOf(this.inner.entries());
  }

  write(batch: StateBatch, mayWrite: () => void): Promise<void> {
    return this.gate.run(async () => {
      mayWrite();
      try {
        await this.inner.write(batch);
      } catch (error) {
        this.forget();
        throw error;
      }
      this.held = { cut: Uint8Array.from(batch.cut), position: batch.position };
      if (this.basis !== null || this.baseUnderWay) await this.changes.add(batch, this.turn);
    });
  }

  clear(mayWrite: () => void): Promise<void> {
    return this.gate.run(async () => {
      mayWrite();
      this.forget();
      await this.inner.clear();
    });
  }

  /** Resolves when no write is under way; nothing is known of the state from then on, unless it is what a checkpoint says. */
  release(): Promise<void> {
    return this.gate.run(async () => {
      if (!this.isAtBasis()) this.forget();
      await this.inner.release?.();
    });
  }

  /** The next one must be a base. */
  forgetBasis(): void {
    this.basis = null;
    this.changes = new ChangeSet(this.changedBytesMax);
  }

  /** What is new since the last checkpoint, as of now; `null`: nothing. `done` or `failed` must follow. */
  begin(): Promise<Plan | null> {
    return this.gate.run(async () => {
      if (this.held === null || this.isAtBasis()) return null;
      const { held, epoch } = this;
      if (this.basis === null || this.needsBase(this.basis)) {
        const listing = await beginListing(this.inner);
        this.forgetBasis();
        this.baseUnderWay = true;
        return { kind: 'base', ...held, changes: listing, basis: null, taken: null, epoch };
      }
      const taken = this.changes;
      this.changes = new ChangeSet(this.changedBytesMax);
      return { kind: 'delta', ...held, changes: taken, basis: this.basis, taken, epoch };
    });
  }

  done(plan: Plan, manifest: Manifest): void {
    if (plan.epoch !== this.epoch) return;
    this.basis = manifest;
    this.baseUnderWay = false;
  }

  /** What the plan held belongs to the next one. */
  async failed(plan: Plan): Promise<void> {
    if (plan.epoch !== this.epoch) return;
    this.baseUnderWay = false;
    if (plan.taken === null) this.forgetBasis();
    else await this.changes.addOlder(plan.taken, this.turn);
  }

  /** Puts a checkpoint in the place of all there is. Throws `CheckpointDamagedError`; then there is nothing. */
  replace(manifest: Manifest, source: FileSource): Promise<void> {
    return this.gate.run(async () => {
      this.forget();
      await this.inner.clear();
      await applyFiles(this.inner, manifest, filesOf(manifest), source);
      this.adopt(manifest);
    });
  }

  /** Goes on from the checkpoint that the state is, if that leads to this one; says whether. Throws as `replace`. */
  extend(manifest: Manifest, source: FileSource): Promise<boolean> {
    return this.gate.run(async () => {
      const deltas = this.basis === null ? null : deltasBetween(this.basis, manifest);
      if (deltas === null) return false;
      this.forget();
      await applyFiles(this.inner, manifest, deltas.flat(), source);
      this.adopt(manifest);
      return true;
    });
  }

  /** The state is known to be what this checkpoint says. */
  adopt(manifest: Manifest): void {
    this.forget();
    this.basis = manifest;
    this.held = { cut: manifest.cut!, position: manifest.position };
  }

  private isAtBasis(): boolean {
    const { basis, held, changes } = this;
    if (basis === null || held === null || changes.size > 0 || changes.hasOverflowed) return false;
    return Buffer.compare(basis.cut!, held.cut) === 0;
  }

  private needsBase(basis: Manifest): boolean {
    const { base, deltas } = basis;
    return this.changes.hasOverflowed || deltas.length >= DELTAS_MAX || bytesOf(deltas.flat()) > bytesOf(base);
  }

  private forget(): void {
    this.epoch++;
    this.forgetBasis();
    this.held = null;
    this.baseUnderWay = false;
  }
}

/** A listing that has begun: what is written from here on is not in it. */
async function beginListing(state: PartitionState): Promise<AsyncIterable<StateEntry>> {
  const listing = state.entries()[Symbol.asyncIterator]();
  const first = await listing.next();
  return (async function* () {
    try {
      for (let entry = first; entry.done !== true; entry = await listing.next()) yield entry.value;
    } finally {
      await listing.return?.();
    }
  })();
}
