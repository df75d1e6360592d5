import { isMap, isScalar, isSeq, type Node, type YAMLMap } from 'yaml';
import type { Expr } from '../../engine/index.js';
import { type EventSchema, type RuleStream, schemaOfAny } from '../schema.js';
import { suggest } from '../source/nearest.js';
import { resolved, type Section, spanOf, type YamlFile } from './yaml-section.js';

/** Which events a step or a feature takes. */
export interface Reads {
  readonly schema: EventSchema | null;
  /** Asks whether the event is of these streams; `null`: all events that the rule sees are. */
  readonly test: Expr | null;
}

/** Which streams a rule file names, before anything else of it is read. What is wrong with it is left to the reader. */
export interface NamedStreams {
  /** `from` of the rule; empty: none. */
  readonly rule: readonly string[];
  /** `from` of its steps and features. */
  readonly parts: readonly string[];
  /** Some step or feature has no `from` of its own. */
  readonly usesDefault: boolean;
}

export function namedStreams(rule: YAMLMap, yaml: YamlFile): NamedStreams {
  const parts = new Set<string>();
  let usesDefault = false;
  const part = (item: unknown): void => {
    if (!isMap(item)) return;
    for (const pair of item.items) {
      const value = resolved(pair.value, yaml);
      const group = isMap(value) ? resolved(value.get('group', true), yaml) : null;
      if (isSeq(group)) return void group.items.forEach(part);
    }
    const names = namesIn(item, yaml);
    // What a feature of another key counts, the rule itself does not see.
    if (!item.has('key')) for (const name of names) parts.add(name);
    usesDefault ||= names.length === 0;
  };
  for (const key of ['pattern', 'features']) {
    const list = resolved(rule.get(key, true), yaml);
    if (isSeq(list)) list.items.forEach(part);
  }
  part(resolved(rule.get('window', true), yaml));
  return { rule: namesIn(rule, yaml), parts: [...parts], usesDefault };
}

function namesIn(map: YAMLMap, yaml: YamlFile): readonly string[] {
  const node = resolved(map.get('from', true), yaml);
  const nodes = isSeq(node) ? node.items : [node];
  return nodes.flatMap((item) => (isScalar(item) && typeof item.value === 'string' ? item.value : []));
}

/** The streams of one rule. */
export class RuleStreams {
  /** Names of all that it reads, sorted; empty: the only stream there is. */
  readonly all: readonly string[];
  /** What a step or feature reads that does not say. */
  readonly byDefault: Reads;

  /** `fallback`: what the rule reads where it does not say; empty: not known. */
  constructor(
    private readonly known: readonly RuleStream[],
    named: NamedStreams,
    private readonly fallback: readonly string[],
  ) {
    const implied = known.length <= 1 && named.rule.length + named.parts.length === 0;
    const names = [...named.parts, ...(named.usesDefault || named.parts.length === 0 ? fallback : [])];
    const there = new Set(known.map(({ name }) => name));
    const sound = names.filter((name) => there.size === 0 || there.has(name));
    this.all = implied ? [] : [...new Set(sound)].sort();
    this.byDefault = this.reads(fallback);
  }

  /** What is known of the events of each stream that the rule reads, by its name; the name is undefined for the only stream. */
  schemas(): readonly { readonly name: string | undefined; readonly schema: EventSchema | null }[] {
    if (this.all.length === 0) return [{ name: undefined, schema: this.byDefault.schema }];
    return this.all.map((name) => ({ name, schema: this.schemaOf([name]) }));
  }

  /** What the part of a rule reads, by its `from`. Reports names that are no streams. */
  of(section: Section): Reads {
    const names = this.names(section);
    return names === null ? this.byDefault : this.reads(names);
  }

  /**
   * What a feature of another key reads, by its `from`. Whoever counts it may see events of more streams than the rule does, so it always
   * says which it means where there are several.
   */
  ofOtherKey(section: Section): Reads & Pick<RuleStreams, 'all'> {
    const own = this.names(section);
    const names = [...new Set(own ?? this.fallback)].sort();
    const isImplied = own === null && this.all.length === 0;
    const isOnly = this.known.length === 1 || isImplied || names.length === 0;
    return { schema: this.schemaOf(names), test: isOnly ? null : testOf(names), all: isImplied ? [] : names };
  }

  /** The same with streams that are read beside. */
  with(names: readonly string[]): RuleStreams {
    return new RuleStreams(this.known, { rule: [], parts: [...this.all, ...names], usesDefault: false }, this.fallback);
  }

  /** The names that `from` gives; `null`: none, or nothing but mistakes. */
  names(section: Section): readonly string[] | null {
    const entry = section.entry('from');
    if (entry === undefined) return null;
    const nodes = isSeq(entry.node) ? (entry.node.items as Node[]) : [entry.node];
    const names: string[] = [];
    for (const node of nodes) {
      if (isScalar(node) && typeof node.value === 'string' && node.value !== '') {
        const span = isSeq(entry.node) ? spanOf(node) : entry.span;
        if (this.isThere(section, node.value, span)) names.push(node.value);
      } else {
        section.wrong(entry, 'the name of a stream, or a list of them');
        return null;
      }
    }
    if (nodes.length === 0) section.wrong(entry, 'the name of a stream, or a list of them');
    return names.length === 0 ? null : names;
  }

  /** Reports a name that is no stream. */
  isThere(section: Section, name: string, span: { readonly start: number; readonly end: number }): boolean {
    if (this.known.length === 0 || this.known.some((stream) => stream.name === name)) return true;
    const names = this.known.map((stream) => stream.name);
    const hint = suggest(name, names);
    section.source.error('unknown-stream', span, `There is no stream ${name}.`, hint);
    return false;
  }

  private reads(names: readonly string[]): Reads {
    const covers = this.all.every((name) => names.includes(name));
    return { schema: this.schemaOf(names), test: covers ? null : testOf([...new Set(names)].sort()) };
  }

  private schemaOf(names: readonly string[]): EventSchema | null {
    const streams = names.flatMap((name) => this.known.find((stream) => stream.name === name) ?? []);
    return streams.length === 0 ? null : schemaOfAny(streams);
  }
}

function testOf(names: readonly string[]): Expr {
  const left: Expr = { op: 'meta', name: 'stream' };
  return names.length === 1
    ? { op: 'compare', cmp: '==', left, right: { op: 'const', value: names[0]! } }
    : { op: 'in', left, values: names };
}

/** A condition of events of some streams alone. */
export function andOf(test: Expr | null, condition: Expr | undefined): Expr | undefined {
  if (test === null || condition === undefined) return test ?? condition;
  return { op: 'and', args: [test, condition] };
}
