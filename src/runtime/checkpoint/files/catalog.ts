import { partitionName, type TopicPartition } from '../../ports/log.js';
import type { ObjectStore } from '../../ports/object-store.js';
import type { ObjectReader } from './abortable.js';
import { CheckpointDamagedError } from './damaged.js';
import { decodeManifest, filesOf, type Manifest } from './manifest.js';
import type { CheckpointNames, ParsedName } from './names.js';

interface Listed {
  readonly name: string;
  readonly parsed: ParsedName;
}

/**
 * The checkpoints of one partition, as the object store has them. Manifests never change, so each is read once.
 *
 * Invariants
 * 1. What a manifest names is deleted only after the manifest, and not before it has been seen without one for `graceMs`: another
 *    writer's checkpoint that is under way has files but no manifest yet.
 * 2. A manifest that says that the partition was begun anew hides all older ones.
 */
export class Catalog {
  private readonly known = new Map<string, Manifest | null>();
  /** Files that could not be read back. */
  private readonly damaged = new Set<string>();
  /** Files that no manifest names, and since when. */
  private readonly strays = new Map<string, number>();

  constructor(
    private readonly partition: TopicPartition,
    readonly names: CheckpointNames,
    private readonly report: (text: string) => void,
  ) {}

  /** Names of all objects of the partition. */
  list(objects: ObjectReader): Promise<readonly string[]> {
    return objects.list(this.names.prefix);
  }

  /** The number for the next checkpoint: above all that are listed. */
  nextNumber(listed: readonly string[]): number {
    return this.parse(listed).reduce((most, { parsed }) => Math.max(most, parsed.number), 0) + 1;
  }

  /** Manifests, the newest first. Damaged ones are reported, once, and left out. */
  async *manifests(objects: ObjectReader, listed: readonly string[]): AsyncGenerator<Manifest> {
    const found = this.parse(listed).filter(({ parsed }) => parsed.kind === 'manifest');
    found.sort((a, b) => b.parsed.number - a.parsed.number || (a.name < b.name ? 1 : -1));
    const names = new Set(found.map(({ name }) => name));
    for (const name of this.known.keys()) if (!names.has(name)) this.known.delete(name);
    for (const { name } of found) {
      const manifest = await this.read(objects, name);
      if (manifest === null) continue;
      if (manifest.cut === null) return;
      if (filesOf(manifest).some((file) => this.damaged.has(file.name))) continue;
      yield manifest;
    }
  }

  /** A manifest that this process has just written. */
  add(name: string, manifest: Manifest): void {
    this.known.set(name, manifest);
  }

  /** Checkpoints with the file that is damaged are not looked at any more. */
  reportDamage(manifest: Manifest, error: CheckpointDamagedError): void {
    if (error.file !== undefined) this.damaged.add(error.file);
    this.report(
      `${partitionName(this.partition)}: checkpoint ${manifest.number} of ${manifest.writer} cannot be used: ${error.message}`,
    );
  }

  /**
   * Deletes what is no longer needed: all but the newest `retained` checkpoints, and files that belong to none.
   *
   * @param inUse names of files that stay in any case.
   */
  async sweep(
    objects: ObjectStore,
    listed: readonly string[],
    keep: {
      readonly retained: number;
      readonly inUse: ReadonlySet<string>;
      readonly nowMs: number;
      readonly graceMs: number;
    },
  ): Promise<void> {
    const needed = new Set(keep.inUse);
    const kept = new Set<string>();
    for await (const manifest of this.manifests(objects, listed)) {
      if (kept.size === keep.retained) break;
      kept.add(this.names.manifest(manifest.number, manifest.writer));
      for (const { name } of filesOf(manifest)) needed.add(name);
    }
    const lowest = [...kept].at(-1);
    for (const { name, parsed } of this.parse(listed)) {
      if (parsed.kind !== 'manifest' || kept.has(name) || lowest === undefined || name > lowest) continue;
      if (this.isReset(name) && kept.size < keep.retained) continue;
      await objects.delete(name);
      this.known.delete(name);
    }
    await this.sweepFiles(objects, listed, needed, keep);
  }

  private async sweepFiles(
    objects: ObjectStore,
    listed: readonly string[],
    needed: ReadonlySet<string>,
    { nowMs, graceMs }: { readonly nowMs: number; readonly graceMs: number },
  ): Promise<void> {
    const files = new Set<string>();
    for (const { name, parsed } of this.parse(listed)) {
      if (parsed.kind === 'manifest' || needed.has(name.slice(this.names.prefix.length))) continue;
      files.add(name);
      if (!this.strays.has(name)) this.strays.set(name, nowMs);
    }
    for (const [name, since] of this.strays) {
      if (files.has(name) && nowMs - since < graceMs) continue;
      if (files.has(name)) await objects.delete(name);
      this.strays.delete(name);
    }
  }

  private isReset(name: string): boolean {
    return this.known.get(name)?.cut === null;
  }

  private async read(objects: ObjectReader, name: string): Promise<Manifest | null> {
    const known = this.known.get(name);
    if (known !== undefined) return known;
    const bytes = await objects.get(name);
    // Deleted since it was listed.
    if (bytes === null) return null;
    let manifest: Manifest | null = null;
    try {
      manifest = decodeManifest(this.partition, name, bytes);
    } catch (error) {
      if (!(error instanceof CheckpointDamagedError)) throw error;
      this.report(`${partitionName(this.partition)}: a checkpoint cannot be used: ${error.message}`);
    }
    this.known.set(name, manifest);
    return manifest;
  }

  private parse(listed: readonly string[]): readonly Listed[] {
    return listed.flatMap((name) => {
      const parsed = this.names.parse(name);
      return parsed === null ? [] : [{ name, parsed }];
    });
  }
}
