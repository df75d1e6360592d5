import { createHash } from 'node:crypto';
import type { TopicPartition } from '../../ports/log.js';
import { CheckpointDamagedError } from './damaged.js';

/** One object with entries. */
export interface FileRef {
  readonly name: string;
  readonly bytes: number;
  /** SHA-256 in hexadecimal. */
  readonly sha256: string;
}

/** The files that give the state of a cut: first those of the base, then those of each delta, in order. */
export interface Chain {
  readonly base: readonly FileRef[];
  readonly deltas: readonly (readonly FileRef[])[];
}

/** What a checkpoint consists of. */
export interface Manifest extends Chain {
  readonly number: number;
  readonly writer: string;
  /** Offset up to which records are in it. */
  readonly position: number;
  /** `null`: the partition was begun anew here; what older checkpoints say of it does not hold. */
  readonly cut: Uint8Array | null;
  /** When it was begun, in milliseconds since 1970. */
  readonly timeMs: number;
}

const FORMAT = 'stakeout-checkpoint';
/** Rises when older versions of the service can no longer read what is written. */
const VERSION = 1;

/** A manifest's object: the SHA-256 of the rest, in hexadecimal; a line's end; JSON. */
export function encodeManifest(partition: TopicPartition, manifest: Manifest): Uint8Array {
  const { cut, ...rest } = manifest;
  const json = JSON.stringify({
    ...{ format: FORMAT, version: VERSION, topic: partition.topic, partition: partition.partition },
    ...{ ...rest, cut: cut === null ? null : Buffer.from(cut).toString('base64') },
  });
  return Buffer.from(`${sha256(Buffer.from(json))}\n${json}\n`);
}

/** @throws CheckpointDamagedError when it is not whole, or not of this partition, or of a version that is not known here. */
export function decodeManifest(partition: TopicPartition, name: string, bytes: Uint8Array): Manifest {
  const [hash, json = '', rest] = Buffer.from(bytes).toString('utf8').split('\n');
  if (rest !== '' || hash !== sha256(Buffer.from(json))) throw new CheckpointDamagedError(`${name} is not whole`);
  const { format, version, topic, partition: number, cut, ...manifest } = JSON.parse(json) as StoredManifest;
  if (format !== FORMAT || version !== VERSION) {
    throw new CheckpointDamagedError(`${name} is of format ${format} ${version}; this release reads ${VERSION}`);
  }
  if (topic !== partition.topic || number !== partition.partition) {
    throw new CheckpointDamagedError(`${name} is of another partition: ${topic}-${number}`);
  }
  return { ...manifest, cut: cut === null ? null : Buffer.from(cut, 'base64') };
}

interface StoredManifest extends Omit<Manifest, 'cut'> {
  readonly format: string;
  readonly version: number;
  readonly topic: string;
  readonly partition: number;
  readonly cut: string | null;
}

export function filesOf(chain: Chain): readonly FileRef[] {
  return [...chain.base, ...chain.deltas.flat()];
}

export function bytesOf(files: readonly FileRef[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** The deltas that lead from one state to the other, or `null` when it is not a continuation of the first. */
export function deltasBetween(from: Chain, to: Chain): readonly (readonly FileRef[])[] | null {
  const known = filesOf(from);
  const same = filesOf(to).slice(0, known.length);
  const continues =
    from.base.length === to.base.length &&
    from.deltas.length <= to.deltas.length &&
    same.length === known.length &&
    known.every(({ name }, i) => same[i]!.name === name);
  return continues ? to.deltas.slice(from.deltas.length) : null;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
