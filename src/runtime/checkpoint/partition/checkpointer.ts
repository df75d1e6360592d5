import { partitionName, type TopicPartition } from '../../ports/log.js';
import type { ObjectStore } from '../../ports/object-store.js';
import { abortable, limited } from '../files/abortable.js';
import type { Catalog } from '../files/catalog.js';
import { bytesOf, encodeManifest, type FileRef, filesOf, type Manifest } from '../files/manifest.js';
import { writeFiles } from '../files/write-files.js';
import type { Gate } from '../gate.js';
import type { CheckpointDone, CheckpointOptions } from '../options.js';
import type { Plan, TrackedState } from './tracked-state.js';

const PART_BYTES = 8 * 1024 * 1024;
const HEADER_BYTES_MAX = 512;

/**
 * Writes checkpoints of one partition.
 *
 * 1. List what there is. The files that the new one is to continue must be among it, else it becomes a base.
 * 2. Within the gate of the state: take what changed, with its cut; for a base, begin a listing instead. The lane goes on.
 * 3. Write the files.
 * 4. Write the manifest. Now there is a checkpoint; before, there were files that nobody looks at.
 * 5. Delete what is no longer needed: manifests first. What fails here fails again next time, and is reported.
 *
 * A crash or a failure before 4 leaves the newest checkpoint as it was.
 */
export class Checkpointer {
  /** Each attempt has a number of its own: what an attempt that was given up still writes is in nobody's way. */
  private lastNumber = 0;
  private lastFailed = false;

  constructor(
    private readonly partition: TopicPartition,
    private readonly state: TrackedState,
    private readonly catalog: Catalog,
    private readonly options: CheckpointOptions,
    /** So many may be under way in the process. */
    private readonly slots: Gate,
  ) {}

  /** `null`: nothing has changed. Throws when it fails, also `CheckpointTimeoutError`, and what `stopped` was aborted with. */
  write(stopped: AbortSignal): Promise<CheckpointDone | null> {
    const { clock, timeoutMs, objects } = this.options;
    return this.slots.run(() =>
      limited(clock, timeoutMs, stopped, (signal) => this.writeOne(abortable(objects, signal), signal)),
    );
  }

  /** Says that what was written so far does not hold: the partition was begun anew. */
  async writeReset(): Promise<void> {
    const { objects, clock, writer, timeoutMs } = this.options;
    await limited(clock, timeoutMs, new AbortController().signal, async (signal) => {
      const reachable = abortable(objects, signal);
      const number = this.nextNumber(await this.catalog.list(reachable));
      const none = { position: 0, cut: null, base: [], deltas: [] };
      await this.publish(reachable, { ...none, number, writer, timeMs: clock.now() });
    });
  }

  private async writeOne(objects: ObjectStore, signal: AbortSignal): Promise<CheckpointDone | null> {
    const { clock, writer } = this.options;
    const timeMs = clock.now();
    const listed = await this.catalog.list(objects);
    this.assureBasis(listed);
    // The files of attempts that failed would pile up.
    if (this.lastFailed) await this.sweep(objects, listed);
    const plan = await this.state.begin();
    if (plan === null) return null;
    const { kind, position } = plan;
    try {
      const number = this.nextNumber(listed);
      const files = await this.writeFiles(plan, number, objects, signal);
      const chain =
        plan.basis === null
          ? { base: files, deltas: [] }
          : { ...plan.basis, deltas: [...plan.basis.deltas, ...listOf(files)] };
      const manifest: Manifest = {
        ...{ number, writer, position, cut: plan.cut, timeMs },
        ...{ base: chain.base, deltas: chain.deltas },
      };
      await this.publish(objects, manifest);
      this.state.done(plan, manifest);
      this.lastFailed = false;
      await this.sweep(objects, [...listed, this.nameOf(manifest)]);
      return { number, kind, position, timeMs, durationMs: clock.now() - timeMs, bytes: bytesOf(files) };
    } catch (error) {
      this.lastFailed = true;
      await this.state.failed(plan);
      throw error;
    }
  }

  private writeFiles(
    plan: Plan,
    number: number,
    objects: ObjectStore,
    signal: AbortSignal,
  ): Promise<readonly FileRef[]> {
    const { writer, compression, turn, partBytes = PART_BYTES } = this.options;
    return writeFiles(plan.changes, {
      ...{ partition: this.partition, objects, compression, turn, signal },
      nameOf: (part) => this.catalog.names.file(plan.kind, number, writer, part),
      partBytes: plan.taken === null ? partBytes : Math.min(partBytes, plan.taken.bytes + HEADER_BYTES_MAX),
    });
  }

  private async publish(objects: ObjectStore, manifest: Manifest): Promise<void> {
    const name = this.nameOf(manifest);
    await objects.put(name, encodeManifest(this.partition, manifest));
    this.catalog.add(name, manifest);
  }

  private nameOf({ number, writer }: Manifest): string {
    return this.catalog.names.manifest(number, writer);
  }

  private nextNumber(listed: readonly string[]): number {
    this.lastNumber = Math.max(this.lastNumber + 1, this.catalog.nextNumber(listed));
    return this.lastNumber;
  }

  /** Another writer that took itself for the owner may have deleted what it did not know. */
  private assureBasis(listed: readonly string[]): void {
    const basis = this.state.continues;
    if (basis === null) return;
    const names = new Set(listed);
    if (!filesOf(basis).every(({ name }) => names.has(this.catalog.names.prefix + name))) this.state.forgetBasis();
  }

  private async sweep(objects: ObjectStore, listed: readonly string[]): Promise<void> {
    const { retained, clock, timeoutMs, report } = this.options;
    const basis = this.state.continues;
    const inUse = new Set(basis === null ? [] : filesOf(basis).map(({ name }) => name));
    try {
      await this.catalog.sweep(objects, listed, { retained, inUse, nowMs: clock.now(), graceMs: timeoutMs });
    } catch (error) {
      report(
        `${partitionName(this.partition)}: old checkpoints could not be deleted and are tried again: ${(error as Error).message}`,
      );
    }
  }
}

function listOf(files: readonly FileRef[]): readonly (readonly FileRef[])[] {
  return files.length === 0 ? [] : [files];
}
