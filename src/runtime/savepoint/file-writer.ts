import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SavepointError } from './errors.js';
import { FRAME, FRAME_HEAD_BYTES, MAGIC } from './file-format.js';
import { encodeHeader, type SavepointHeader, type SavepointTotals } from './header.js';

/**
 * Writes a savepoint under a name of its own, and gives it the right one when it is whole and on the disk: a file of that name is a
 * savepoint, or nothing.
 */
export class SavepointFileWriter {
  private readonly hash = createHash('sha256');
  private written = 0;

  private constructor(
    private readonly path: string,
    private readonly temporary: string,
    private readonly file: FileHandle,
  ) {}

  /** Makes the folder, too. @throws SavepointError `SAVEPOINT_IO`. */
  static async create(path: string, header: SavepointHeader): Promise<SavepointFileWriter> {
    const temporary = `${path}.partial`;
    try {
      await mkdir(dirname(path), { recursive: true });
      const writer = new SavepointFileWriter(path, temporary, await open(temporary, 'w'));
      await writer.append(MAGIC);
      await writer.frame(FRAME.header, encodeHeader(header));
      return writer;
    } catch (error) {
      throw failed(path, error);
    }
  }

  async frame(kind: number, content: Uint8Array): Promise<void> {
    const head = Buffer.alloc(FRAME_HEAD_BYTES);
    head[0] = kind;
    head.writeUInt32LE(content.length, 1);
    try {
      await this.append(head);
      await this.append(content);
    } catch (error) {
      throw failed(this.path, error);
    }
  }

  /** Resolves with the size in bytes when the file has its name. */
  async finish(totals: SavepointTotals): Promise<number> {
    await this.frame(FRAME.totals, new TextEncoder().encode(JSON.stringify(totals)));
    try {
      const digest = this.hash.digest();
      await this.file.write(digest);
      await this.file.sync();
      await this.file.close();
      await rename(this.temporary, this.path);
      await syncFolder(dirname(this.path));
      return this.written + digest.length;
    } catch (error) {
      throw failed(this.path, error);
    }
  }

  /** Leaves nothing behind. */
  async abandon(): Promise<void> {
    // Closed already where `finish` has failed after it.
    await this.file.close().catch(() => undefined);
    await rm(this.temporary, { force: true });
  }

  private async append(bytes: Uint8Array): Promise<void> {
    this.hash.update(bytes);
    this.written += bytes.length;
    for (let at = 0; at < bytes.length; ) at += (await this.file.write(bytes, at)).bytesWritten;
  }
}

/** So that the name survives a power failure, too. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function failed(path: string, error: unknown): SavepointError {
  return new SavepointError('SAVEPOINT_IO', `${path} cannot be written: ${(error as Error).message}`, { cause: error });
}
