import type { TopicPartition } from '../../runtime/ports/log.js';
import { partitionName } from '../../runtime/ports/log.js';
import type { ClaimingStore } from '../../runtime/ports/object-store.js';

/** A piece of a partition that is one set of files: records from `from`, up to but without `to`. */
export interface Slice {
  readonly from: number;
  readonly to: number;
}

/** Claims that are kept of each partition; a member that was away for more of them is not expected back. */
const KEPT = 200;
const FOLDER = '_stakeout';

export const padded = (offset: number): string => String(offset).padStart(16, '0');

/**
 * Which slices of a partition there are: for each an object whose name is where it begins, so that two members that think they own the
 * partition cannot make two slices of the same records. Whoever is second finds what the first has claimed, and keeps to it.
 */
export class Claims {
  /** Names, oldest first. */
  private names: string[] | null = null;

  constructor(
    private readonly store: ClaimingStore,
    private readonly of: TopicPartition,
  ) {}

  /** Those that end behind an offset, in order. */
  async after(offset: number): Promise<readonly Slice[]> {
    this.names = [...(await this.store.list(`${this.folder}/`))];
    const slices: Slice[] = [];
    // The last one that begins before the offset may end behind it.
    for (const name of [...this.names].reverse()) {
      const slice = await this.read(name);
      if (slice === null || slice.to <= offset) break;
      slices.unshift(slice);
    }
    return slices;
  }

  /** The slice that begins there: this one, or that which was claimed before. */
  async claim(slice: Slice): Promise<Slice> {
    const name = `${this.folder}/${padded(slice.from)}`;
    const isOurs = await this.store.create(name, new TextEncoder().encode(JSON.stringify(slice)));
    if (!isOurs) return (await this.read(name)) ?? slice;
    this.names?.push(name);
    return slice;
  }

  /** Deletes the oldest ones, once their files are long there. */
  async prune(): Promise<void> {
    while (this.names !== null && this.names.length > KEPT) await this.store.delete(this.names.shift()!);
  }

  private get folder(): string {
    return `${FOLDER}/${partitionName(this.of)}`;
  }

  private async read(name: string): Promise<Slice | null> {
    const bytes = await this.store.get(name);
    return bytes === null ? null : (JSON.parse(new TextDecoder().decode(bytes)) as Slice);
  }
}
