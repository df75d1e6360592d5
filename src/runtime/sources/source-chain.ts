import { createHash } from 'node:crypto';
import { canonicalJson } from '../../engine/index.js';
import type { Tree } from '../settings/tree.js';

export type SourceKind = 'stream' | 'sink';

/** One change of a stream or a sink. */
export interface SourceChange {
  readonly kind: SourceKind;
  readonly name: string;
  /** As in the settings; a stream's schema stands in it. `null`: it is taken away. */
  readonly definition: Tree | null;
  /** With its first change: what the settings had; `null`: nothing. */
  readonly was?: Tree | null;
  /** It comes from a settings file, of which the section had this digest. */
  readonly file?: string;
  /** Milliseconds since 1970, by the clock of who wrote it. */
  readonly at: number;
  readonly author: string;
  /** Why. */
  readonly message: string;
}

/** A change with its place in the chain: who changes one that was written breaks the chain after it. */
export interface SourceEntry extends SourceChange {
  /** Hash of the entry before; empty: it is the first. */
  readonly previous: string;
  /** SHA-256 of all else in it. */
  readonly hash: string;
}

/** A stream or sink as its last change has it. */
export interface SourceVersion extends SourceEntry {
  /** Names the definition. */
  readonly digest: string;
  readonly first: Tree | null;
}

export const digestOf = (value: unknown): string =>
  createHash('sha256')
    .update(canonicalJson(JSON.parse(JSON.stringify(value))))
    .digest('hex');

export function sealed(change: SourceChange, previous: string): SourceEntry {
  const entry = { ...change, previous };
  return { ...entry, hash: digestOf(entry) };
}

/** The changes of all streams and sinks, in the order in which they hold. Pure: all processes come to the same. */
export class SourceChain {
  private readonly entries: SourceEntry[] = [];
  private readonly now = new Map<string, SourceVersion>();
  private broken: string | null = null;

  get all(): readonly SourceEntry[] {
    return this.entries;
  }

  get head(): string {
    return this.entries.at(-1)?.hash ?? '';
  }

  /** Why the rest is not believed; `null`: it is whole. */
  get damage(): string | null {
    return this.broken;
  }

  get(kind: SourceKind, name: string): SourceVersion | undefined {
    return this.now.get(`${kind}/${name}`);
  }

  /** In the order of their first changes; those that were taken away too. */
  of(kind: SourceKind): readonly SourceVersion[] {
    return [...this.now.values()].filter((version) => version.kind === kind);
  }

  /** Says whether it holds: of two that follow from one the first does. */
  add(entry: SourceEntry): boolean {
    const { hash, ...rest } = entry;
    const when = new Date(entry.at).toISOString();
    if (digestOf(rest) !== hash) {
      this.broken ??= `the entry of ${when} was changed after it was written`;
      return false;
    }
    if (entry.previous !== '' && !this.entries.some((known) => known.hash === entry.previous)) {
      this.broken ??= `the entry before that of ${when} is not there any more, or was changed`;
      return false;
    }
    if (entry.previous !== this.head) return false;
    this.entries.push(entry);
    const key = `${entry.kind}/${entry.name}`;
    const first = this.now.get(key)?.first ?? entry.was ?? null;
    this.now.set(key, { ...entry, digest: digestOf(entry.definition), first });
    return true;
  }
}
