import { isScalar, isSeq } from 'yaml';
import type {
  Contiguity,
  EventStep,
  InsideContiguity,
  Pattern,
  PatternPath,
  Quantifier,
  Skip,
  Step,
} from '../../../engine/index.js';
import type { Scope, StepInfo } from '../../condition/scope.js';
import { NAME_FORM, RESERVED_NAMES } from '../../read/read-steps.js';
import type { Section } from '../../read/yaml-section.js';
import type { EventSchema } from '../../schema.js';
import { suggest } from '../../source/nearest.js';
import type { Span } from '../../source/source-file.js';
import { sections } from './json-file.js';
import { type ClassConditions, CONDITION_KEYS, ConditionReader } from './read-condition.js';

const NODE_KEYS = ['name', 'type', 'quantifier', 'condition'];
export const GRAPH_KEYS = [...NODE_KEYS, 'nodes', 'edges', 'window', 'afterMatchStrategy', 'version'];
const QUANTIFIER_KEYS = ['consumingStrategy', 'times', 'properties', 'untilCondition'];

const EDGES: Readonly<Record<string, Contiguity>> = {
  ...{ STRICT: 'next', SKIP_TILL_NEXT: 'followedBy', SKIP_TILL_ANY: 'followedByAny' },
  ...{ NOT_NEXT: 'notNext', NOT_FOLLOW: 'notFollowedBy' },
};
const INSIDE: Readonly<Record<string, InsideContiguity>> = {
  ...{ STRICT: 'consecutive', SKIP_TILL_NEXT: 'relaxed', SKIP_TILL_ANY: 'combinations' },
};
const PROPERTIES = ['SINGLE', 'LOOPING', 'TIMES', 'OPTIONAL', 'GREEDY', 'NEGATIVE'] as const;
type Property = (typeof PROPERTIES)[number];
const UNITS: Readonly<Record<string, number>> = {
  ...{ MILLISECONDS: 1, SECONDS: 1000, MINUTES: 60_000, HOURS: 3_600_000, DAYS: 86_400_000 },
};
const SKIPS = ['NO_SKIP', 'SKIP_TO_NEXT', 'SKIP_PAST_LAST_EVENT', 'SKIP_TO_FIRST', 'SKIP_TO_LAST'] as const;

/** A node of which the form is read, and the conditions are not yet. */
interface Draft {
  readonly section: Section;
  readonly contiguity: Contiguity;
  readonly path: PatternPath;
  readonly name: string;
  readonly index: number;
  readonly steps: readonly Draft[] | null;
}

/** What a quantifier says of a step. */
type StepModifiers = Pick<Step, 'quantifier' | 'inside' | 'greedy' | 'until' | 'optional'>;

interface Edge {
  readonly section: Section;
  readonly target: string;
  readonly contiguity: Contiguity;
}

/** Reads a graph of Flink's dynamic CEP as a pattern. All that is wrong with it, or has no meaning here, is reported. */
export class GraphReader {
  private readonly infos: StepInfo[] = [];
  private readonly conditions: ConditionReader;
  /** Names of nodes as they are written, to what the steps are called. */
  private readonly names = new Map<string, string>();
  private outerSkip: Skip | undefined;
  /** Where the parts of the pattern stand, by their path in it. */
  readonly places = new Map<string, Span>();

  constructor(
    private readonly schema: EventSchema | null,
    classes: ClassConditions,
  ) {
    this.conditions = new ConditionReader(classes);
  }

  read(graph: Section): Pattern {
    const drafts = this.drafts(graph, ['steps']);
    const skip = this.skip(graph);
    this.outerSkip = skip;
    const steps = drafts.map((draft) => this.finish(draft));
    const window = this.window(graph);
    this.rootQuantifier(graph, drafts.at(-1));
    this.note(graph, ['within'], 'window');
    this.note(graph, ['gap'], 'window');
    this.note(graph, ['skip'], 'afterMatchStrategy');
    return {
      steps,
      ...(window?.type === 'FIRST_AND_LAST' ? { withinMs: window.ms } : {}),
      ...(window?.type === 'PREVIOUS_AND_CURRENT' ? { gapMs: window.ms } : {}),
      ...(skip === undefined ? {} : { skip }),
    };
  }

  /** The nodes of a graph in the order of its edges. */
  private drafts(graph: Section, path: PatternPath): readonly Draft[] {
    const nodes = sections(graph, 'nodes', 'A node', GRAPH_KEYS) ?? [];
    if (nodes.length === 0 && graph.entry('nodes') !== undefined)
      graph.source.error('no-steps', graph.entry('nodes')!.span, 'The graph has no nodes.');
    const byName = new Map<string, Section>();
    for (const node of nodes) {
      const name = node.text('name');
      if (node.entry('name') === undefined) node.missing('name', 'Add "name".');
      if (name === undefined) continue;
      if (this.names.has(name)) {
        const message = `Two nodes are called ${name}.`;
        node.source.error('duplicate-step-name', node.entry('name')!.span, message, 'Give each a name of its own.');
      }
      this.names.set(name, this.stepName(node, name));
      byName.set(name, node);
    }
    const edges = this.edges(graph, byName);
    this.note(graph, path, 'nodes');
    return this.chain(graph, byName, edges).map(({ name, node, contiguity }, i) =>
      this.draft(node, name, contiguity, [...path, i]),
    );
  }

  private stepName(node: Section, name: string): string {
    if (NAME_FORM.test(name) && !RESERVED_NAMES.has(name)) return name;
    const plain = name.replace(/[^A-Za-z0-9_]/g, '_').replace(/^(?=\d|$)/, '_');
    const renamed = RESERVED_NAMES.has(plain) ? `${plain}_` : plain;
    node.source.warning(
      'renamed-step',
      node.entry('name')!.span,
      `The step is called ${renamed}: ${name} is no name here.`,
    );
    return renamed;
  }

  private edges(graph: Section, nodes: ReadonlyMap<string, Section>): ReadonlyMap<string, Edge> {
    const edges = new Map<string, Edge>();
    const targets = new Set<string>();
    for (const section of (graph.entry('edges') && sections(graph, 'edges', 'An edge', ['source', 'target', 'type'])) ??
      []) {
      const [source, target] = [this.end(section, 'source', nodes), this.end(section, 'target', nodes)];
      const type = section.choice('type', Object.keys(EDGES));
      if (section.entry('type') === undefined)
        section.missing('type', `Write one of ${Object.keys(EDGES).join(', ')}.`);
      if (source === undefined || target === undefined) continue;
      if (edges.has(source) || targets.has(target)) {
        const message = `A second edge ${edges.has(source) ? `from ${source}` : `to ${target}`}: the nodes of a graph are one chain.`;
        section.source.error('no-chain', section.span, message, 'Leave one of them out.');
      }
      targets.add(target);
      edges.set(source, { section, target, contiguity: EDGES[type ?? 'SKIP_TILL_NEXT']! });
    }
    return edges;
  }

  private end(edge: Section, key: 'source' | 'target', nodes: ReadonlyMap<string, Section>): string | undefined {
    const name = edge.text(key, 'the name of a node');
    if (edge.entry(key) === undefined) edge.missing(key, `Add "${key}".`);
    if (name === undefined || nodes.has(name)) return name;
    edge.source.error(
      'unknown-step',
      edge.entry(key)!.span,
      `There is no node ${name} here.`,
      suggest(name, nodes.keys()),
    );
    return undefined;
  }

  private chain(graph: Section, nodes: ReadonlyMap<string, Section>, edges: ReadonlyMap<string, Edge>) {
    const targets = new Set([...edges.values()].map(({ target }) => target));
    const starts = [...nodes.keys()].filter((name) => !targets.has(name));
    const found: { name: string; node: Section; contiguity: Contiguity }[] = [];
    const [start] = starts;
    for (let at = start, contiguity: Contiguity = 'start'; at !== undefined && found.length < nodes.size; ) {
      found.push({ name: at, node: nodes.get(at)!, contiguity });
      const edge = edges.get(at);
      contiguity = edge?.contiguity ?? 'start';
      at = edge?.target;
    }
    if (found.length < nodes.size && !graph.source.hasErrors) {
      const message =
        starts.length > 1
          ? `Which node begins? No edge leads to ${starts.join(' and ')}.`
          : 'The edges lead round in a circle.';
      graph.source.error('no-chain', graph.entry('nodes')!.keySpan, message, 'The nodes of a graph are one chain.');
    }
    return found;
  }

  private draft(section: Section, written: string, contiguity: Contiguity, path: PatternPath): Draft {
    const type = section.choice('type', ['ATOMIC', 'COMPOSITE']);
    if (section.entry('type') === undefined) section.missing('type', 'Write ATOMIC or COMPOSITE.');
    this.note(section, path, 'name');
    const name = this.names.get(written)!;
    const composite = type === 'COMPOSITE' || (type === undefined && section.entry('nodes') !== undefined);
    if (composite)
      return { section, contiguity, path, name, index: -1, steps: this.drafts(section, [...path, 'steps']) };
    for (const key of ['nodes', 'edges', 'window', 'afterMatchStrategy']) {
      const entry = section.entry(key);
      if (entry !== undefined)
        section.source.error('unknown-key', entry.keySpan, `An ATOMIC node has no ${key}.`, 'Make it COMPOSITE.');
    }
    const negated = contiguity === 'notNext' || contiguity === 'notFollowedBy';
    const index = this.infos.push({ name, negated, repeats: true, schema: this.schema }) - 1;
    return { section, contiguity, path, name, index, steps: null };
  }

  private finish(draft: Draft): Step {
    const { section, contiguity, path, name } = draft;
    const base = { contiguity, ...this.quantifier(draft) };
    const condition = section.section('condition', 'A condition', CONDITION_KEYS);
    if (draft.steps !== null) return { kind: 'group', ...base, steps: this.inner(draft, condition) };
    const read = condition === undefined ? {} : this.conditions.read(condition, this.scope(draft));
    this.note(section, [...path, 'where'], 'condition');
    return { kind: 'event', name, ...base, ...read } satisfies EventStep;
  }

  /** The steps of a graph inside of another one. */
  private inner({ section, steps }: Draft, condition: Section | undefined): readonly Step[] {
    if (condition !== undefined) {
      const hint = 'Put it on the nodes inside.';
      section.source.error('where-on-group', section.place('condition')!, 'A graph has no condition of its own.', hint);
    }
    const skip = section.entry('afterMatchStrategy') === undefined ? undefined : this.skip(section);
    if (skip !== undefined && skip.strategy !== 'noSkip' && JSON.stringify(skip) !== JSON.stringify(this.outerSkip))
      this.unread(section, 'afterMatchStrategy', 'of an inner graph');
    const window = this.window(section);
    const finished = steps!.map((step) => this.finish(step));
    const last = finished.at(-1);
    if (window === undefined || last === undefined) return finished;
    if (window.type === 'FIRST_AND_LAST' || last.quantifier !== undefined) {
      this.unread(section, 'window', window.type === 'FIRST_AND_LAST' ? 'of an inner graph' : 'before a repeated node');
      return finished;
    }
    return [...finished.slice(0, -1), { ...last, gapMs: window.ms }];
  }

  /** What Flink reads and makes nothing of. */
  private unread(section: Section, key: string, where: string): void {
    const message = `${key} ${where} means nothing in Flink, and is left out.`;
    section.source.warning('not-read', section.place(key)!, message);
  }

  private scope({ index }: Draft): Scope {
    const self = index >= 0 ? index : this.infos.length - 1;
    return { schema: this.schema, steps: this.infos, self, fields: new Set() };
  }

  private quantifier(draft: Draft): StepModifiers {
    const { section, path, contiguity } = draft;
    const read = section.section('quantifier', 'A quantifier', QUANTIFIER_KEYS);
    if (section.entry('quantifier') === undefined) section.missing('quantifier', 'Add "quantifier".');
    if (read === undefined) return {};
    const properties = this.properties(read);
    const strategy = read.choice('consumingStrategy', Object.keys(INSIDE));
    if (read.entry('consumingStrategy') === undefined)
      read.missing('consumingStrategy', `Write one of ${Object.keys(INSIDE).join(', ')}.`);
    for (const key of ['quantifier', 'greedy', 'optional', 'inside', 'gap'])
      this.note(section, [...path, key], 'quantifier');
    this.note(read, [...path, 'until'], 'untilCondition');
    if (properties.has('NEGATIVE') && contiguity !== 'notNext' && contiguity !== 'notFollowedBy') {
      const hint = 'Let the edge to the node be NOT_NEXT or NOT_FOLLOW.';
      read.source.error('bad-value', read.entry('properties')!.span, 'NEGATIVE is said of an edge.', hint);
    }
    const quantifier = this.times(read, properties);
    const until = read.section('untilCondition', 'A condition', CONDITION_KEYS);
    const ends = until && this.conditions.read(until, this.scope(draft));
    if (ends?.subtype !== undefined)
      until!.source.error(
        'not-expressible',
        until!.span,
        'A SubtypeCondition cannot end a loop.',
        'Ask a field of the event.',
      );
    const inside = INSIDE[strategy ?? 'SKIP_TILL_NEXT']!;
    return {
      ...(quantifier === undefined ? {} : { quantifier }),
      ...(inside === 'relaxed' ? {} : { inside }),
      ...(properties.has('GREEDY') ? { greedy: true } : {}),
      ...(ends == null ? {} : { until: ends.where ?? { op: 'const', value: true } }),
      ...(properties.has('OPTIONAL') ? { optional: true } : {}),
    };
  }

  private properties(section: Section): ReadonlySet<Property> {
    const entry = section.entry('properties');
    if (entry === undefined) section.missing('properties', `Add "properties" with some of ${PROPERTIES.join(', ')}.`);
    else if (!isSeq(entry.node)) section.wrong(entry, 'a list');
    const found = new Set<Property>();
    for (const node of isSeq(entry?.node) ? entry.node.items : []) {
      const word = isScalar(node) ? String(node.value) : '';
      const property = PROPERTIES.find((one) => one === word);
      const [start, end] = (isScalar(node) ? node.range : undefined) ?? [entry!.span.start, entry!.span.end];
      if (property !== undefined) found.add(property);
      else
        section.source.error('bad-value', { start, end }, `properties cannot be ${word}.`, suggest(word, PROPERTIES));
    }
    return found;
  }

  private times(section: Section, properties: ReadonlySet<Property>): Quantifier | undefined {
    const times = section.section('times', '"times"', ['from', 'to', 'windowTime']);
    const [looping, counted] = [properties.has('LOOPING'), properties.has('TIMES')];
    if (looping && counted) {
      const hint = 'Leave one of them out.';
      section.source.error(
        'quantifier-twice',
        section.entry('properties')!.span,
        'LOOPING and TIMES exclude each other.',
        hint,
      );
    }
    if (counted && section.entry('times') === undefined) section.missing('times', 'Add "times": {"from": 3, "to": 3}.');
    if (times === undefined) return looping ? { from: 1, to: null } : undefined;
    if (!looping && !counted) {
      this.unread(section, 'times', 'without LOOPING or TIMES');
      return undefined;
    }
    const [from, to] = [this.count(times, 'from'), this.count(times, 'to')];
    if (looping && to !== undefined && to !== from) this.unread(times, 'to', 'of what is LOOPING');
    const gapMs = this.time(times, 'windowTime');
    return { from: from ?? 1, to: looping ? null : (to ?? from ?? 1), ...(gapMs === undefined ? {} : { gapMs }) };
  }

  private count(section: Section, key: string): number | undefined {
    if (section.entry(key) === undefined) section.missing(key, `Add "${key}".`);
    return section.parsed(key, 'bad-times', 'a whole number', (text) =>
      /^\d+$/.test(text) ? Number(text) : undefined,
    );
  }

  private window(graph: Section): { readonly type: string; readonly ms: number } | undefined {
    const section = graph.section('window', 'A window', ['type', 'time']);
    if (section === undefined) return undefined;
    const type = section.choice('type', ['FIRST_AND_LAST', 'PREVIOUS_AND_CURRENT']);
    if (section.entry('type') === undefined) section.missing('type', 'Write FIRST_AND_LAST or PREVIOUS_AND_CURRENT.');
    if (section.entry('time') === undefined) section.missing('time', 'Add "time": {"unit": "MINUTES", "size": 10}.');
    const ms = this.time(section, 'time');
    return type === undefined || ms === undefined ? undefined : { type, ms };
  }

  private time(from: Section, key: string): number | undefined {
    const section = from.section(key, `"${key}"`, ['unit', 'size']);
    if (section === undefined) return undefined;
    const unit = section.choice('unit', Object.keys(UNITS));
    if (section.entry('unit') === undefined) section.missing('unit', `Write one of ${Object.keys(UNITS).join(', ')}.`);
    const size = this.count(section, 'size');
    return unit === undefined || size === undefined ? undefined : size * UNITS[unit]!;
  }

  private skip(graph: Section): Skip | undefined {
    const section = graph.section('afterMatchStrategy', 'afterMatchStrategy', ['type', 'patternName']);
    if (section === undefined) return undefined;
    const type = section.choice('type', SKIPS);
    if (section.entry('type') === undefined) section.missing('type', `Write one of ${SKIPS.join(', ')}.`);
    if (type === 'SKIP_PAST_LAST_EVENT') return { strategy: 'pastLastEvent' };
    if (type === 'SKIP_TO_NEXT') return { strategy: 'toNext' };
    if (type !== 'SKIP_TO_FIRST' && type !== 'SKIP_TO_LAST')
      return type === undefined ? undefined : { strategy: 'noSkip' };
    const name = section.text('patternName', 'the name of a node');
    if (section.entry('patternName') === undefined) section.missing('patternName', 'Add "patternName".');
    this.note(section, ['skip', 'step'], 'patternName');
    if (name === undefined) return undefined;
    if (!this.names.has(name)) {
      const { span } = section.entry('patternName')!;
      section.source.error('skip-target-unknown', span, `There is no node ${name}.`, suggest(name, this.names.keys()));
    }
    return { strategy: type === 'SKIP_TO_FIRST' ? 'toFirst' : 'toLast', step: this.names.get(name) ?? name };
  }

  /** Flink writes the quantifier of the last node there, and reads none. */
  private rootQuantifier(graph: Section, last: Draft | undefined): void {
    const entry = graph.entry('quantifier');
    const own = graph.section('quantifier', 'A quantifier', QUANTIFIER_KEYS);
    if (entry === undefined || own === undefined) return;
    const properties = this.properties(own);
    const text = (node: unknown): string => JSON.stringify(node);
    const same = last?.section.entry('quantifier');
    if ([...properties].every((one) => one === 'SINGLE') || text(same?.node) === text(entry.node)) return;
    this.unread(graph, 'quantifier', 'of the outermost graph');
  }

  private note(section: Section, path: PatternPath, key: string): void {
    const place = section.place(key);
    if (place !== undefined) this.places.set(path.join('/'), place);
  }
}
