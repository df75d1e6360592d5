import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Diagnostic } from '../diagnostic.js';
import type { KnownLists } from '../known-lists.js';
import type { Rule } from '../rule.js';
import type { EventSchema, KnownStreams } from '../schema.js';
import type { ParameterValues } from '../source/parameters.js';
import { atId } from './at-id.js';
import { type ParsedRule, parseRule } from './parse-rule.js';

export interface LoadOptions {
  /** Schemas of the streams that the rules may read. Empty or absent: nothing is known. */
  readonly schemas?: readonly EventSchema[];
  /** The streams, where nothing is known of the events of some. */
  readonly streams?: KnownStreams;
  /** The reference lists that rules may ask. Absent: nothing is known of them. */
  readonly lists?: KnownLists;
  /** Told of each file as it was read, whether it holds or not. */
  readonly onText?: (file: RuleText) => void;
  /** What texts were read as before, with the same streams and lists: a set of which one rule has changed is read quickly. */
  readonly known?: ParsedRules;
  /** Decides for each file instead. */
  readonly resolveLists?: (file: string) => KnownLists | undefined;
  /** Decides for each file instead. */
  readonly resolveStreams?: (file: string) => KnownStreams | Promise<KnownStreams>;
  /** Values of their parameters, in place of the defaults. */
  readonly parameters?: ParameterValues;
}

/** Rules by what they were read from, wherever that lies; holds those of the last two sets. */
export class ParsedRules {
  /** Texts that had to be read until now. */
  parsed = 0;
  private before = new Map<string, ParsedRule>();
  private now = new Map<string, ParsedRule>();

  get({ file, text }: RuleText, parse: () => ParsedRule): ParsedRule {
    // The folder's name is compared with the rule's.
    const key = `${basename(dirname(file))}/${basename(file)}\n${text}`;
    const parsed = this.now.get(key) ?? this.before.get(key) ?? this.read(parse);
    this.now.set(key, parsed);
    return placed(parsed, file);
  }

  private read(parse: () => ParsedRule): ParsedRule {
    this.parsed++;
    return parse();
  }

  /** Another set is about to be read. */
  begin(): void {
    if (this.now.size > 0) this.before = this.now;
    this.now = new Map();
  }
}

/** What was read from one file, as if it had been read from another one with the same text. */
function placed({ rule, diagnostics }: ParsedRule, file: string): ParsedRule {
  return {
    rule: rule === null ? null : { ...rule, source: file },
    diagnostics: diagnostics.map((diagnostic) => ({ ...diagnostic, file })),
  };
}

export interface LoadedRules {
  /** Rules without errors, in order of their files. */
  readonly rules: readonly Rule[];
  /** The text that each of them was read from, by `source` of the rule: files may change afterwards. */
  readonly texts: ReadonlyMap<string, string>;
  readonly diagnostics: readonly Diagnostic[];
}

export const RULE_FILE = 'pattern.yaml';

/**
 * Reads all rules in the given files and folders; of a folder every `pattern.yaml` below it, in order of their paths. What
 * is wrong with a file, or with a path, is told in `diagnostics`; never throws for either.
 */
export async function loadRules(paths: readonly string[], options: LoadOptions = {}): Promise<LoadedRules> {
  const diagnostics: Diagnostic[] = [];
  const files: RuleText[] = [];
  for (const file of await ruleFiles(paths, diagnostics)) {
    const text = await readFile(file, 'utf8').catch((error: Error) => unreadable(file, error, diagnostics));
    if (text !== null) files.push({ file, text });
  }
  const read = await readRules(files, options);
  return { ...read, diagnostics: [...diagnostics, ...read.diagnostics] };
}

/** A rule as it was written. */
export interface RuleText {
  /** For messages; of two rules never the same. */
  readonly file: string;
  readonly text: string;
  /** Its own tests, as in a tests.yaml: they go with the rule, and change nothing of what it does. Absent: none are known. */
  readonly tests?: string;
  /** A revision that was replaced: see `Rule.drains`. */
  readonly drains?: boolean;
}

/** `loadRules` for texts that are at hand. */
export async function readRules(files: readonly RuleText[], options: LoadOptions = {}): Promise<LoadedRules> {
  const rules: Rule[] = [];
  const texts = new Map<string, string>();
  const diagnostics: Diagnostic[] = [];
  const ofAll = options.streams ?? (options.schemas ?? []).map((schema) => ({ name: schema.stream, schema }));
  const fileOfId = new Map<string, string>();
  options.known?.begin();
  for (const { file, text } of files) {
    options.onText?.({ file, text });
    const streams = options.resolveStreams === undefined ? ofAll : await options.resolveStreams(file);
    const lists = options.resolveLists?.(file) ?? options.lists;
    const { parameters } = options;
    const context = { ...(lists === undefined ? {} : { lists }), ...(parameters === undefined ? {} : { parameters }) };
    const parse = (): ParsedRule => parseRule(text, file, streams, context);
    const parsed = options.known?.get({ file, text }, parse) ?? parse();
    diagnostics.push(...parsed.diagnostics);
    if (parsed.rule === null) continue;
    const other = fileOfId.get(parsed.rule.id);
    if (other === undefined) {
      rules.push(parsed.rule);
      texts.set(parsed.rule.source, text);
    } else diagnostics.push(duplicateId(parsed.rule, text, other));
    fileOfId.set(parsed.rule.id, other ?? file);
  }
  return { rules, texts, diagnostics };
}

async function ruleFiles(paths: readonly string[], diagnostics: Diagnostic[]): Promise<readonly string[]> {
  const files = new Set<string>();
  for (const path of paths) {
    try {
      if (!(await stat(path)).isDirectory()) {
        files.add(path);
        continue;
      }
      const found = await filesBelow(path);
      if (found.length === 0) {
        diagnostics.push(atFile(path, 'no-rules', `There is no ${RULE_FILE} in this folder or below it.`));
      }
      for (const file of found) files.add(file);
    } catch (error) {
      unreadable(path, error as Error, diagnostics);
    }
  }
  return [...files];
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules') {
      found.push(...(await filesBelow(path)));
    } else if (entry.isFile() && entry.name === RULE_FILE) {
      found.push(path);
    }
  }
  return found;
}

function unreadable(file: string, error: Error, diagnostics: Diagnostic[]): null {
  const code = (error as NodeJS.ErrnoException).code;
  const message = code === 'ENOENT' ? 'There is no such file or folder.' : `Cannot be read: ${error.message}.`;
  diagnostics.push(atFile(file, 'file-unreadable', message));
  return null;
}

/** A diagnostic of a whole file. */
function atFile(file: string, code: string, message: string): Diagnostic {
  return { severity: 'error', code, message, file, line: 1, column: 1, length: 1, excerpt: '' };
}

function duplicateId(rule: Rule, text: string, other: string): Diagnostic {
  return {
    ...atFile(rule.source, 'duplicate-id', `${rule.id} is the id of the rule in ${other} already.`),
    ...atId(rule, text),
    hint: 'Give every rule an id of its own.',
  };
}
