import { z } from 'zod';
import { type SettingMeta, settingRegistry } from './setting.js';

/** Plain data as it comes from YAML. */
export type Tree = { [key: string]: unknown };
export type Path = readonly string[];

/** One setting of the schema with its place. `*` stands for the name in a map of sections (`streams.*.topic`). */
export interface Leaf {
  readonly path: Path;
  readonly meta: SettingMeta;
  /** As it would stand in a file; `undefined` for none. */
  readonly defaultValue: unknown;
}

/** All settings below `schema`, in the order of the schema. */
export function leavesOf(schema: z.ZodType, path: Path = []): readonly Leaf[] {
  const meta = settingRegistry.get(schema);
  if (meta) {
    return [{ path, meta, defaultValue: schema instanceof z.ZodPrefault ? schema.def.defaultValue : undefined }];
  }
  const section = unwrap(schema);
  if (section instanceof z.ZodObject) {
    return Object.entries(section.shape).flatMap(([name, child]) => leavesOf(child as z.ZodType, [...path, name]));
  }
  if (section instanceof z.ZodRecord) return leavesOf(section.def.valueType as z.ZodType, [...path, '*']);
  throw new Error(`no description for setting ${path.join('.')}`);
}

function unwrap(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodPrefault ? unwrap(schema.def.innerType as z.ZodType) : schema;
}

/** Names that stand beside each other in the section at `path`. */
export function namesIn(leaves: readonly Leaf[], path: Path): ReadonlySet<string> {
  const names = new Set<string>();
  for (const leaf of leaves) {
    const name = leaf.path[path.length];
    if (name !== undefined && fits(leaf.path.slice(0, path.length), path)) names.add(name);
  }
  return names;
}

export function leafAt(leaves: readonly Leaf[], path: Path): Leaf | undefined {
  return leaves.find((leaf) => leaf.path.length === path.length && fits(leaf.path, path));
}

function fits(pattern: Path, path: Path): boolean {
  return pattern.every((name, index) => name === '*' || name === path[index]);
}

/** Replaces `*` by each name that the tree has there. */
export function expand(leaf: Leaf, tree: Tree): readonly Path[] {
  const star = leaf.path.indexOf('*');
  if (star < 0) return [leaf.path];
  const section = getAt(tree, leaf.path.slice(0, star));
  if (!isTree(section)) return [];
  return Object.keys(section).map((name) => leaf.path.with(star, name));
}

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function getAt(tree: unknown, path: Path): unknown {
  let at = tree;
  for (const name of path) {
    if (!isTree(at) || !Object.hasOwn(at, name)) return undefined;
    at = at[name];
  }
  return at;
}

/** Sets a value, making sections on the way; a value that stands where a section must be is left to the validation. */
export function setAt(tree: Tree, path: Path, value: unknown): void {
  let at = tree;
  for (const name of path.slice(0, -1)) {
    const next = at[name] ?? {};
    if (!isTree(next)) return;
    at[name] = next;
    at = next;
  }
  at[path.at(-1) as string] = value;
}
