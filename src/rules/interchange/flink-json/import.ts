import { isMap, isSeq, type Node } from 'yaml';
import { type Pattern, validatePattern } from '../../../engine/index.js';
import type { Diagnostic } from '../../diagnostic.js';
import { ENGINE_HINTS } from '../../read/engine-hints.js';
import { ID_FORM, parseRule } from '../../read/parse-rule.js';
import { Section, spanOf } from '../../read/yaml-section.js';
import type { EventSchema } from '../../schema.js';
import { SourceFile, type Span } from '../../source/source-file.js';
import { ruleYaml } from '../rule-yaml.js';
import { readJson } from './json-file.js';
import type { ClassConditions } from './read-condition.js';
import { GRAPH_KEYS, GraphReader } from './read-graph.js';

export interface ImportOptions {
  /** Field that events are grouped by: in Flink that stands in the job. */
  readonly key: unknown;
  /** Of the first rule; without it the graph's name. */
  readonly id?: string;
  /** Stream to name in the rule, where there are several. */
  readonly from?: string;
  /** What is known of its events; `null`: nothing, so that any field may have no value. */
  readonly schema: EventSchema | null;
  readonly classes?: ClassConditions;
}

export interface ImportedRule {
  readonly id: string;
  /** A `pattern.yaml`. */
  readonly text: string;
  readonly pattern: Pattern;
}

export interface Imported {
  readonly rules: readonly ImportedRule[];
  /** All that is wrong, or has no meaning here, at its place in the JSON. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads rules of Flink's dynamic CEP: a graph, or a list of them. Source: "Definitions of rules in the JSON format in dynamic Flink CEP"
 * (Alibaba Cloud, Ververica). Never throws for bad text.
 */
export function importFlinkJson(text: string, file: string, options: ImportOptions): Imported {
  const source = new SourceFile(file, text);
  const json = readJson(source);
  if (json === null) return { rules: [], diagnostics: source.diagnostics };
  const roots = isSeq(json.root) ? (json.root.items as Node[]) : [json.root];
  const rules = roots.flatMap((root, i) => {
    if (isMap(root))
      return readRule(new Section(json, root, 'A graph', GRAPH_KEYS), i === 0 ? options : rest(options)) ?? [];
    source.error('wrong-form', spanOf(root), 'A graph is an object with "nodes" and "edges".');
    return [];
  });
  return { rules: source.hasErrors ? [] : rules, diagnostics: source.diagnostics };
}

const rest = ({ id: _, ...options }: ImportOptions): ImportOptions => options;

function readRule(graph: Section, options: ImportOptions): ImportedRule | null {
  const { source } = graph;
  const name = graph.text('name');
  if (graph.entry('name') === undefined) graph.missing('name', 'Add "name".');
  const reader = new GraphReader(options.schema, options.classes ?? new Map());
  const pattern = reader.read(graph);
  if (!source.hasErrors) judge(pattern, reader.places, graph);
  if (source.hasErrors || name === undefined) return null;
  const id = options.id ?? idOf(name);
  const head = { id, ...(id === name ? {} : { title: name }), key: options.key };
  const text = ruleYaml(options.from === undefined ? head : { ...head, from: options.from }, pattern);
  // What is wrong with the rule as such, and not with the graph: a key that no event has.
  const { diagnostics } = parseRule(text, `${id}/pattern.yaml`, options.schema);
  for (const { code, severity, message, hint } of diagnostics) {
    if (severity === 'error') source.error(code, graph.entry('name')!.span, `In the rule ${id}: ${message}`, hint);
  }
  return { id, text, pattern };
}

/** Lets the engine judge the pattern, and brings its findings to their places. */
function judge(pattern: Pattern, places: ReadonlyMap<string, Span>, graph: Section): void {
  for (const { code, message, path } of validatePattern(pattern)) {
    const at = path.map((_, i) => places.get(path.slice(0, path.length - i).join('/'))).find((place) => place);
    graph.source.error(code, at ?? graph.entry('nodes')!.keySpan, message, ENGINE_HINTS[code]);
  }
}

/** `Large payment` is `large-payment`. */
function idOf(name: string): string {
  const id = name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 64)
    .replace(/-$/, '');
  return ID_FORM.test(id) ? id : 'imported-rule';
}
