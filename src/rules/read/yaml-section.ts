import { type Document, isAlias, isMap, isScalar, type Node, type Pair, type Scalar, type YAMLMap } from 'yaml';
import { nearestName } from '../source/nearest.js';
import { ScalarText } from '../source/scalar-text.js';
import type { SourceFile, Span } from '../source/source-file.js';

/** One entry of a map, with where it stands. */
export interface Entry {
  readonly key: string;
  readonly keySpan: Span;
  readonly node: Node | null;
  /** Of the value; of the key where there is no value. */
  readonly span: Span;
}

/** A YAML file that is being read, and what all its sections need. */
export interface YamlFile {
  readonly source: SourceFile;
  readonly document: Document.Parsed;
}

/** Span of a node without the white space and comments that follow it. */
export function spanOf(node: Node): Span {
  const [start, end] = node.range ?? [0, 0];
  return { start, end };
}

/** The node an alias (`*name`) stands for. */
export function resolved(node: unknown, yaml: YamlFile): Node | null {
  return (isAlias(node) ? node.resolve(yaml.document) : (node as Node | null)) ?? null;
}

/**
 * A map of a rule file. It reports keys that nobody knows, and values of another form than asked for; what was wrong reads
 * as `undefined`, so that reading goes on and all mistakes are found at once.
 */
export class Section {
  private readonly entries = new Map<string, Entry>();

  constructor(
    readonly yaml: YamlFile,
    readonly node: YAMLMap,
    /** For messages: "a step", "the alert". */
    readonly what: string,
    /** `null`: every key is known. */
    known: readonly string[] | null,
  ) {
    for (const pair of node.items) {
      const entry = this.entryOf(pair);
      if (known === null || known.includes(entry.key)) this.entries.set(entry.key, entry);
      else this.unknownKey(entry, known);
    }
  }

  get source(): SourceFile {
    return this.yaml.source;
  }

  get span(): Span {
    return spanOf(this.node);
  }

  /** Of the key up to the end of its value. */
  place(key: string): Span | undefined {
    const entry = this.entries.get(key);
    return entry && { start: entry.keySpan.start, end: entry.span.end };
  }

  get keys(): readonly string[] {
    return [...this.entries.keys()];
  }

  entry(key: string): Entry | undefined {
    return this.entries.get(key);
  }

  /** Text, or a number or truth value written without quotes, as the author wrote it. */
  scalarText(key: string, expected: string): ScalarText | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    const scalar = this.scalarOf(entry, expected);
    return scalar && new ScalarText(this.source, scalar);
  }

  text(key: string, expected = 'text'): string | undefined {
    const text = this.scalarText(key, expected)?.text.trim();
    if (text !== '') return text;
    this.wrong(this.entries.get(key)!, expected);
    return undefined;
  }

  flag(key: string): boolean | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    if (isScalar(entry.node) && typeof entry.node.value === 'boolean') return entry.node.value;
    this.wrong(entry, 'true or false');
    return undefined;
  }

  choice<T extends string>(key: string, choices: readonly T[]): T | undefined {
    const text = this.text(key, `one of ${choices.join(', ')}`);
    if (text === undefined) return undefined;
    const found = choices.find((choice) => choice === text);
    if (found !== undefined) return found;
    const nearest = nearestName(text, choices);
    const hint = nearest === undefined ? `Write one of ${choices.join(', ')}.` : `Did you mean ${nearest}?`;
    this.source.error('bad-value', this.entries.get(key)!.span, `${key} cannot be ${text}.`, hint);
    return undefined;
  }

  /** Reads a value by a parser of ours that answers `undefined` for anything it does not know. */
  parsed<T>(key: string, code: string, expected: string, parse: (text: string) => T | undefined): T | undefined {
    const text = this.text(key, expected);
    if (text === undefined) return undefined;
    const value = parse(text);
    if (value !== undefined) return value;
    this.source.error(code, this.entries.get(key)!.span, `${key} cannot be ${text}.`, `Write ${expected}.`);
    return undefined;
  }

  section(key: string, what: string, known: readonly string[] | null): Section | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    if (isMap(entry.node)) return new Section(this.yaml, entry.node, what, known);
    this.wrong(entry, 'a map of keys and values');
    return undefined;
  }

  /** Reports that a value has another form than asked for. */
  wrong(entry: Entry, expected: string): void {
    if (entry.node === null || (isScalar(entry.node) && entry.node.value === null)) {
      this.source.error('wrong-form', entry.keySpan, `${entry.key} has no value.`, `Expected ${expected}.`);
    } else {
      this.source.error('wrong-form', entry.span, `${entry.key} must be ${expected}.`);
    }
  }

  missing(key: string, hint: string): void {
    const start = this.span.start;
    this.source.error('missing-key', { start, end: start }, `${this.what} has no ${key}.`, hint);
  }

  /** The value as a scalar that is not empty, or reports. */
  scalarOf(entry: Entry, expected: string): Scalar | undefined {
    if (isScalar(entry.node) && entry.node.value !== null) return entry.node;
    this.wrong(entry, expected);
    return undefined;
  }

  private entryOf(pair: Pair): Entry {
    const keyNode = pair.key as Node;
    const keySpan = spanOf(keyNode);
    const node = resolved(pair.value, this.yaml);
    const key = isScalar(keyNode) ? String(keyNode.value) : keyNode.toString();
    const span = pair.value !== null && pair.value !== undefined ? spanOf(pair.value as Node) : keySpan;
    return { key, keySpan, node, span };
  }

  private unknownKey(entry: Entry, known: readonly string[]): void {
    const nearest = nearestName(entry.key, known);
    const hint = nearest === undefined ? `Known: ${known.join(', ')}.` : `Did you mean ${nearest}?`;
    this.source.error('unknown-key', entry.keySpan, `${this.what} has no key ${entry.key}.`, hint);
  }
}
