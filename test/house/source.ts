import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import swc from '@swc/core';

/** The root of the repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** A source file; `path` is relative to the root of the repository, with slashes. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** What a rule of the house found. */
export interface Finding {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly rule: string;
}

/** A node of SWC's syntax tree, as far as the rules look at it. */
export interface SyntaxNode {
  readonly type: string;
  readonly [field: string]: unknown;
}

const ignored = new Set(['node_modules', 'dist', '.dist', 'coverage', '.git', '.stakeout']);

/** Paths of all files below a folder, sorted; folders that are installed or built are left out. */
export function filesBelow(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => !ignored.has(entry.name))
    .flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      return entry.isDirectory() ? filesBelow(path) : [path];
    })
    .sort();
}

export function readSources(folders: readonly string[]): readonly Source[] {
  return folders
    .flatMap(filesBelow)
    .filter((path) => /\.tsx?$/.test(path) && !path.endsWith('.d.ts'))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/** A parsed source: every node in order, and the line of each. */
export class Syntax {
  private readonly bytes: Buffer;
  private readonly module: unknown;

  constructor(readonly source: Source) {
    this.bytes = Buffer.from(source.text);
    const tsx = source.path.endsWith('.tsx');
    this.module = swc.parseSync(source.text, { syntax: 'typescript', tsx, decorators: true, target: 'es2022' });
  }

  /** All nodes in the order of the text, parents before children. */
  nodes(): readonly SyntaxNode[] {
    const found: SyntaxNode[] = [];
    collect(this.module, found);
    return found.sort((a, b) => spanOf(a).start - spanOf(b).start);
  }

  line(node: SyntaxNode): number {
    return this.bytes.subarray(0, spanOf(node).start).toString().split('\n').length;
  }

  /** The line above the one on which a node begins. */
  lineBefore(node: SyntaxNode): string {
    return this.source.text.split('\n')[this.line(node) - 2] ?? '';
  }

  /** The source text of a node, comments included. */
  text(node: SyntaxNode): string {
    const { start, end } = spanOf(node);
    return this.bytes.subarray(start, end).toString();
  }
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

export function describeFindings(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ path, line, rule }) => `${path}:${line} ${rule}`);
}

/** SWC counts bytes from 1. */
function spanOf(node: SyntaxNode): { readonly start: number; readonly end: number } {
  const span = node.span as { readonly start: number; readonly end: number };
  return { start: span.start - 1, end: span.end - 1 };
}

function collect(value: unknown, into: SyntaxNode[]): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, into);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (isNode(value) && 'span' in value) into.push(value);
  for (const child of Object.values(value)) collect(child, into);
}
