import { partitionName, type TopicPartition } from '../../ports/log.js';

export type FileKind = 'base' | 'delta';

/** What a name says. `number`: which checkpoint of the partition the object was written for. */
export interface ParsedName {
  readonly kind: FileKind | 'manifest';
  readonly number: number;
  readonly writer: string;
}

const DIGITS = 20;
const PART_DIGITS = 5;
const PATTERN = /^(manifest|base|delta)-(\d{20})-([A-Za-z0-9]+)(?:-\d{5})?$/;

/**
 * Names of one partition's objects, in order of their numbers:
 *
 *     <group>/<topic>-<partition>/manifest-<number>-<writer>
 *     <group>/<topic>-<partition>/base-<number>-<writer>-<part>
 *     <group>/<topic>-<partition>/delta-<number>-<writer>-<part>
 *
 * Each writer has an id of its own, so two of them never write the same object, whatever they believe to own.
 */
export class CheckpointNames {
  /** All names of the partition begin so. */
  readonly prefix: string;

  constructor(group: string, partition: TopicPartition) {
    this.prefix = `${safe(group)}/${safe(partitionName(partition))}/`;
  }

  manifest(number: number, writer: string): string {
    return `${this.prefix}manifest-${padded(number, DIGITS)}-${writer}`;
  }

  file(kind: FileKind, number: number, writer: string, part: number): string {
    return `${this.prefix}${kind}-${padded(number, DIGITS)}-${writer}-${padded(part, PART_DIGITS)}`;
  }

  /** `null`: not one of ours. */
  parse(name: string): ParsedName | null {
    const match = name.startsWith(this.prefix) ? PATTERN.exec(name.slice(this.prefix.length)) : null;
    if (match === null) return null;
    return { kind: match[1] as ParsedName['kind'], number: Number(match[2]), writer: match[3]! };
  }
}

function padded(number: number, digits: number): string {
  return String(number).padStart(digits, '0');
}

/** Names of groups may hold any character, those of objects may not; and no part of a path is `..`. */
function safe(name: string): string {
  const escaped = name.replace(/[^A-Za-z0-9._-]/gu, (char) =>
    [...new TextEncoder().encode(char)].map((byte) => `=${byte.toString(16).padStart(2, '0')}`).join(''),
  );
  return /^\.+$/.test(escaped) ? escaped.replaceAll('.', '=2e') : escaped;
}
