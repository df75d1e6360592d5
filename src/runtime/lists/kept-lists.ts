import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ListKind } from '../../rules/known-lists.js';
import { type ListData, listData, ReferenceLists } from './reference-lists.js';
import { TextTable } from './text-table.js';

/** A list that a rule set of before asked, and that is to be had no more. */
export class ListGoneError extends Error {
  readonly code = 'LIST_GONE';
}

interface Header {
  readonly kind: ListKind;
  readonly size: number;
  readonly bucketBits: number;
  /** Bytes of each part of the table, in the order of `PARTS`. */
  readonly lengths: readonly number[];
}

const PARTS = ['starts', 'keys', 'keyEnds', 'values', 'valueEnds'] as const;
const WORDS: ReadonlySet<string> = new Set(['starts', 'keyEnds', 'valueEnds']);

/**
 * Copies of lists by what they hold, in a folder: the journal names a list by its digest alone, and a replay needs what the list held
 * when its rule set was in force, whatever the file of the settings holds by then.
 */
export class KeptLists {
  constructor(private readonly folder: string) {}

  /** Keeps those of the lists that have these names. */
  async keep(lists: ReferenceLists, names: Iterable<string>): Promise<void> {
    for (const name of Object.keys(lists.digests(names))) await this.keepOne(lists.data[name]!);
  }

  /**
   * The lists with the content that these digests stand for: those given where they are the same still, else the copies. Throws
   * `ListGoneError`.
   */
  async asOf(digests: Readonly<Record<string, string>>, today: ReferenceLists): Promise<ReferenceLists> {
    const data: Record<string, ListData> = {};
    for (const [name, digest] of Object.entries(digests)) {
      const now = Object.hasOwn(today.data, name) ? today.data[name] : undefined;
      data[name] = now?.digest === digest ? now : await this.read(name, digest);
    }
    return new ReferenceLists(data);
  }

  private async keepOne({ kind, digest, table }: ListData): Promise<void> {
    const file = this.fileOf(digest);
    const parts = PARTS.map((part) => bytesOf(table[part]));
    const lengths = parts.map((part) => part.length);
    const header: Header = { kind, size: table.size, bucketBits: table.bucketBits, lengths };
    const first = Buffer.from(`${JSON.stringify(header)}\n`);
    if ((await readFile(file).catch(() => null)) !== null) return;
    await mkdir(this.folder, { recursive: true });
    // Under its name there is never half of one.
    const unfinished = `${file}.${process.pid}.part`;
    await writeFile(unfinished, Buffer.concat([first, ...parts]));
    await rename(unfinished, file);
  }

  private async read(name: string, digest: string): Promise<ListData> {
    const bytes = await readFile(this.fileOf(digest)).catch(() => null);
    const kept = bytes === null ? null : decoded(bytes);
    if (kept !== null && kept.digest === digest) return kept;
    const message =
      `The rules that were in force asked the list ${name} as it was then (${digest.slice(0, 12)}), and there is no copy of it ` +
      `in ${this.folder}. Put the file of then back in its place (lists.${name}.file).`;
    throw new ListGoneError(message);
  }

  private fileOf(digest: string): string {
    return join(this.folder, `${digest}.list`);
  }
}

const bytesOf = (part: Uint8Array | Uint32Array): Buffer => Buffer.from(part.buffer, part.byteOffset, part.byteLength);

function decoded(bytes: Buffer): ListData | null {
  const end = bytes.indexOf(0x0a);
  if (end < 0) return null;
  const { kind, size, bucketBits, lengths } = JSON.parse(bytes.toString('utf8', 0, end)) as Header;
  let at = end + 1;
  const parts = PARTS.map((part, i) => {
    const copy = new Uint8Array(new SharedArrayBuffer(lengths[i]!));
    copy.set(bytes.subarray(at, at + lengths[i]!));
    at += lengths[i]!;
    return [part, WORDS.has(part) ? new Uint32Array(copy.buffer) : copy];
  });
  const table = { size, bucketBits, ...Object.fromEntries(parts) } as ListData['table'];
  return listData(kind, new TextTable(table));
}
