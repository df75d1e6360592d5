import { Backoff, pause } from '../../backoff.js';
import type { Clock } from '../../ports/clock.js';
import { partitionName, type TopicPartition } from '../../ports/log.js';
import { type ObjectStore, ObjectStoreError } from '../../ports/object-store.js';
import { abortable, limited, type ObjectReader } from '../files/abortable.js';
import type { Catalog } from '../files/catalog.js';
import { CheckpointDamagedError } from '../files/damaged.js';
import { bytesOf, filesOf, type Manifest } from '../files/manifest.js';
import { type FileSource, fetchWhole } from '../files/read-files.js';
import type { CheckpointOptions } from '../options.js';
import type { TrackedState } from './tracked-state.js';

const RETRY_MIN_MS = 200;
const RETRY_MAX_MS = 5000;

/** Puts checkpoints of one partition into the state on this machine. */
export class Copies {
  constructor(
    private readonly partition: TopicPartition,
    private readonly state: TrackedState,
    private readonly catalog: Catalog,
    private readonly options: CheckpointOptions,
  ) {}

  /** The newest whole manifest at or before an offset, and below a number. */
  async newest(atOrBefore: number, below: number, stopped: AbortSignal): Promise<Manifest | null> {
    const objects = this.reachable(stopped);
    for await (const manifest of this.catalog.manifests(objects, await this.catalog.list(objects))) {
      if (manifest.number < below && manifest.position <= atOrBefore) return manifest;
    }
    return null;
  }

  /**
   * Puts in the newest checkpoint that is whole. For an owner, what is held is given up only for one that was read from end to
   * end before; where nothing is held, that first reading is left out.
   *
   * @param below numbers from this one on are not looked at.
   * @returns the one that was put in, or `null`: what was held is there still, if anything was.
   */
  async restore(atOrBefore: number, below: number, stopped: AbortSignal): Promise<Manifest | null> {
    const isHeld = (await this.state.cut()) !== null;
    return this.replace(atOrBefore, below, stopped, isHeld);
  }

  private async replace(
    atOrBefore: number,
    below: number,
    stopped: AbortSignal,
    readFirst: boolean,
  ): Promise<Manifest | null> {
    const source = this.source(stopped);
    let bound = below;
    for (;;) {
      const manifest = await this.newest(atOrBefore, bound, stopped);
      if (manifest === null) return null;
      try {
        if (readFirst) await this.readAll(manifest, source);
        const beganMs = this.options.clock.now();
        await this.copied(() => this.state.replace(manifest, source));
        this.tell(manifest, this.options.clock.now() - beganMs);
        return manifest;
      } catch (error) {
        if (!(error instanceof CheckpointDamagedError)) throw error;
        this.catalog.reportDamage(manifest, error);
        bound = manifest.number;
      }
    }
  }

  /** Brings the state of a partition that another process owns to its newest checkpoint. Says whether it moved. */
  async follow(stopped: AbortSignal): Promise<boolean> {
    const heldAt = await this.recognize(stopped);
    const newest = await this.newest(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, stopped);
    const basis = this.state.continues;
    if (newest === null || (basis === null ? newest.position <= heldAt : newest.number <= basis.number)) return false;
    try {
      if (await this.copied(() => this.state.extend(newest, this.source(stopped)))) return true;
    } catch (error) {
      if (!(error instanceof CheckpointDamagedError)) throw error;
      this.catalog.reportDamage(newest, error);
    }
    return (await this.replace(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, stopped, false)) !== null;
  }

  /**
   * Position of the state that is held, -1 where it is none. Finds the checkpoint that it is, as after a start: state follows from
   * the records alone, so states with the same cut are the same.
   */
  private async recognize(stopped: AbortSignal): Promise<number> {
    const basis = this.state.continues;
    if (basis !== null) return basis.position;
    const cut = await this.state.cut();
    if (cut === null) return -1;
    const objects = this.reachable(stopped);
    for await (const manifest of this.catalog.manifests(objects, await this.catalog.list(objects))) {
      if (Buffer.compare(manifest.cut!, cut) !== 0) continue;
      this.state.adopt(manifest);
      return manifest.position;
    }
    return this.options.positionOf(cut) ?? -1;
  }

  private copied<T>(copy: () => Promise<T>): Promise<T> {
    return this.options.whileCopied?.(this.partition, copy) ?? copy();
  }

  private async readAll(manifest: Manifest, source: FileSource): Promise<void> {
    for (const file of filesOf(manifest)) await fetchWhole(file, source);
  }

  private tell({ number, writer, position, ...chain }: Manifest, ms: number): void {
    const bytes = bytesOf(filesOf({ ...chain }));
    this.options.report(
      `${partitionName(this.partition)}: checkpoint ${number} of ${writer} at offset ${position} put in place (${bytes} bytes, ${ms} ms)`,
    );
  }

  private source(stopped: AbortSignal): FileSource {
    const { compression, turn } = this.options;
    return {
      ...{ partition: this.partition, compression, turn },
      objects: this.reachable(stopped),
      prefix: this.catalog.names.prefix,
    };
  }

  private reachable(stopped: AbortSignal): ObjectReader {
    const { objects, clock, timeoutMs } = this.options;
    return patient(objects, clock, timeoutMs, stopped);
  }
}

/** An object store for reading that tries again while the real one is away, for `timeoutMs` at most. */
function patient(objects: ObjectStore, clock: Clock, timeoutMs: number, stopped: AbortSignal): ObjectReader {
  const trying = <T>(act: (objects: ObjectReader) => Promise<T>): Promise<T> =>
    limited(clock, timeoutMs, stopped, async (signal) => {
      const waits = new Backoff(RETRY_MIN_MS, RETRY_MAX_MS);
      for (;;) {
        try {
          return await act(abortable(objects, signal));
        } catch (error) {
          if (!(error instanceof ObjectStoreError && error.code === 'OBJECTS_AWAY')) throw error;
          await pause(clock, waits.next(), signal);
          if (signal.aborted) throw error;
        }
      }
    });
  return {
    get: (name) => trying((o) => o.get(name)),
    list: (prefix) => trying((o) => o.list(prefix)),
  };
}
