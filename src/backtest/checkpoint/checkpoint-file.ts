import { open, readFile, rename } from 'node:fs/promises';
import type { Checkpoints } from './checkpoints.js';

const FORMAT = 'stakeout back-test checkpoint 1';
const LENGTH_BYTES = 4;
/** Of the time, at most so much goes into checkpoints: where they take long, they come less often. */
const SHARE_MAX = 1 / 20;

export interface CheckpointFileOptions {
  readonly path: string;
  /** Of the back-test: what is kept of another is of no use. */
  readonly identity: string;
  readonly intervalMs: number;
  /** Monotonic, in ms. */
  readonly now: () => number;
  /** One more was kept. */
  readonly onSaved?: () => void;
}

/**
 * What a lane keeps, in a file: lengths and pieces, the first of which tells format and identity, the last of which is empty. It is
 * written beside the one before and takes its place, so that a crash leaves the one before.
 */
export class CheckpointFile implements Checkpoints {
  private next: number;

  constructor(private readonly options: CheckpointFileOptions) {
    this.next = options.now() + options.intervalMs;
  }

  isDue(): boolean {
    return this.options.now() >= this.next;
  }

  async save(pieces: Iterable<Uint8Array>): Promise<void> {
    const { path, intervalMs, now, onSaved } = this.options;
    const started = now();
    const handle = await open(`${path}.new`, 'w');
    try {
      await handle.writeFile(framed(this.title));
      for (const piece of pieces) await handle.writeFile(framed(piece));
      await handle.writeFile(framed(new Uint8Array(0)));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(`${path}.new`, path);
    const took = now() - started;
    this.next = now() + Math.max(intervalMs, took / SHARE_MAX);
    onSaved?.();
  }

  async load(): Promise<readonly Uint8Array[] | null> {
    const bytes = await readFile(this.options.path).catch(() => null);
    const pieces = bytes === null ? null : piecesIn(bytes);
    if (pieces === null) return null;
    const [title, ...others] = pieces;
    return this.title.equals(title!) ? others : null;
  }

  private get title(): Buffer {
    return Buffer.from(`${FORMAT}\n${this.options.identity}`);
  }
}

function framed(piece: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(LENGTH_BYTES + piece.length);
  bytes.writeUInt32LE(piece.length);
  bytes.set(piece, LENGTH_BYTES);
  return bytes;
}

/** `null`: they are not whole. */
function piecesIn(bytes: Buffer): Buffer[] | null {
  const pieces: Buffer[] = [];
  for (let at = 0; at + LENGTH_BYTES <= bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    at += LENGTH_BYTES + length;
    if (length === 0) return at === bytes.length && pieces.length > 1 ? pieces : null;
    if (at > bytes.length) return null;
    pieces.push(bytes.subarray(at - length, at));
  }
  return null;
}
