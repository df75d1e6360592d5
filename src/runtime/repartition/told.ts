import { createHash } from 'node:crypto';
import type { ByteReader, ByteWriter, Scalar, ToldFeatures } from '../../engine/index.js';
import type { Rule } from '../../rules/rule.js';
import { toldName } from '../../rules/told-features.js';
import { readScalar, writeScalar } from '../scalar-bytes.js';

/** What features of other keys are at an event, by 48 bits of the hash of their names: names are long. */
export type EncodedTold = ReadonlyMap<number, Scalar | null>;

export const NOTHING_TOLD: EncodedTold = new Map();

const ids = new Map<string, number>();
/** More names than this are not remembered. */
const IDS_MAX = 10_000;

function idOf(name: string): number {
  const known = ids.get(name);
  if (known !== undefined) return known;
  const id = createHash('sha256').update(name).digest().readUIntBE(0, 6);
  if (ids.size < IDS_MAX) ids.set(name, id);
  return id;
}

export const encodeTold = (told: ToldFeatures | null): EncodedTold =>
  new Map(Object.entries(told ?? {}).map(([name, value]) => [idOf(name), value]));

export function writeTold(out: ByteWriter, told: EncodedTold): void {
  out.varint(told.size);
  for (const [id, value] of told) {
    out.varint(id);
    writeScalar(out, value);
  }
}

export function readTold(input: ByteReader): EncodedTold {
  const told = new Map<number, Scalar | null>();
  for (let left = input.varint(); left > 0; left--) told.set(input.varint(), readScalar(input));
  return told;
}

/** By the rules: names of their features, by their hashes. */
const names = new WeakMap<readonly Rule[], ReadonlyMap<number, string>>();

/** What was told of the features that these rules read. Of one that nobody counted when the event passed nothing is told. */
export function decodeTold(told: EncodedTold, rules: readonly Rule[]): ToldFeatures {
  let known = names.get(rules);
  if (known === undefined) {
    const features = rules.flatMap(({ otherKeys = [] }) => otherKeys.flatMap((other) => other.features));
    known = new Map(features.map(toldName).map((name) => [idOf(name), name]));
    names.set(rules, known);
  }
  const read: Record<string, Scalar | null> = {};
  for (const [id, value] of told) {
    const name = known.get(id);
    if (name !== undefined) read[name] = value;
  }
  return read;
}
