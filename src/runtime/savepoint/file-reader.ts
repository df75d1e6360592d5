import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { LogRecord } from '../ports/log.js';
import type { StateEntry } from '../ports/state-store.js';
import { entriesIn, recordsIn } from './blocks.js';
import { SavepointError } from './errors.js';
import { DIGEST_BYTES, FRAME, FRAME_HEAD_BYTES, MAGIC } from './file-format.js';
import { decodeHeader, type SavepointHeader, type SavepointTotals } from './header.js';

/** Some content of one partition, which is given by its place in the header. */
export type SavepointPart =
  | { readonly kind: 'entries'; readonly partition: number; readonly entries: readonly StateEntry[] }
  | { readonly kind: 'records'; readonly partition: number; readonly records: readonly LogRecord[] };

/** A savepoint that was found whole. */
export interface SavepointFile {
  readonly path: string;
  /** Size in bytes. */
  readonly bytes: number;
  readonly header: SavepointHeader;
  readonly totals: SavepointTotals;
  /** Reads it from the beginning, with one block in memory at a time. May be called again. */
  parts(): AsyncIterable<SavepointPart>;
}

const READ_BYTES = 1024 * 1024;

/**
 * Reads the whole file once, so that nothing is done with a damaged one.
 *
 * @param release this one's, for messages.
 * @throws SavepointError `SAVEPOINT_IO`, `SAVEPOINT_FOREIGN`, `SAVEPOINT_DAMAGED`, `SAVEPOINT_VERSION`.
 */
export async function openSavepoint(path: string, release: string): Promise<SavepointFile> {
  const bytes = await withFile(path, (file) => checkWhole(path, file));
  let header: SavepointHeader | null = null;
  let totals: SavepointTotals | null = null;
  for await (const { kind, content } of frames(path, bytes)) {
    if (header === null && kind !== FRAME.header) throw damaged(path, 'it has no header');
    if (kind === FRAME.header) header = decodeHeader(content, path, release);
    else if (kind === FRAME.totals) totals = JSON.parse(new TextDecoder().decode(content)) as SavepointTotals;
  }
  if (header === null || totals === null) throw damaged(path, 'it has no end');
  return { path, bytes, header, totals, parts: () => parts(path, bytes) };
}

async function* parts(path: string, bytes: number): AsyncGenerator<SavepointPart> {
  let partition = -1;
  for await (const { kind, content } of frames(path, bytes)) {
    if (kind === FRAME.partition) partition = u32(content, 0);
    else if (kind === FRAME.entries) yield { kind: 'entries', partition, entries: await entriesIn(content) };
    else if (kind === FRAME.records) yield { kind: 'records', partition, records: await recordsIn(content) };
  }
}

interface Frame {
  readonly kind: number;
  readonly content: Uint8Array;
}

/** `bytes`: size of the file, which was found whole. */
async function* frames(path: string, bytes: number): AsyncGenerator<Frame> {
  const file = await open(path, 'r');
  try {
    const end = bytes - DIGEST_BYTES;
    for (let at = MAGIC.length; at < end; ) {
      const head = await read(path, file, at, FRAME_HEAD_BYTES);
      const length = u32(head, 1);
      at += FRAME_HEAD_BYTES + length;
      if (at > end) throw damaged(path, 'a part of it is longer than the file');
      yield { kind: head[0]!, content: await read(path, file, at - length, length) };
    }
  } finally {
    await file.close();
  }
}

/** Compares the checksum with the content. Answers with the size. */
async function checkWhole(path: string, file: FileHandle): Promise<number> {
  const { size } = await file.stat();
  const magic = await read(path, file, 0, Math.min(size, MAGIC.length));
  if (Buffer.compare(magic, MAGIC) !== 0) {
    throw new SavepointError('SAVEPOINT_FOREIGN', `${path} is no savepoint of stakeout, or its beginning is damaged`);
  }
  const end = size - DIGEST_BYTES;
  if (end < MAGIC.length) throw damaged(path, 'it is cut off');
  const hash = createHash('sha256');
  for (let at = 0; at < end; at += READ_BYTES) {
    hash.update(await read(path, file, at, Math.min(READ_BYTES, end - at)));
  }
  if (!hash.digest().equals(await read(path, file, end, DIGEST_BYTES))) {
    throw damaged(path, 'its checksum does not fit its content');
  }
  return size;
}

async function read(path: string, file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  for (let have = 0; have < length; ) {
    const { bytesRead } = await file.read(bytes, have, length - have, position + have);
    if (bytesRead === 0) throw damaged(path, 'it is cut off');
    have += bytesRead;
  }
  return bytes;
}

async function withFile<T>(path: string, act: (file: FileHandle) => Promise<T>): Promise<T> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    throw new SavepointError('SAVEPOINT_IO', `${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  try {
    return await act(file);
  } finally {
    await file.close();
  }
}

const u32 = (bytes: Uint8Array, at: number): number =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, true);

function damaged(path: string, why: string): SavepointError {
  return new SavepointError(
    'SAVEPOINT_DAMAGED',
    `${path} is damaged: ${why}. Nothing was changed; use another copy of it.`,
  );
}
