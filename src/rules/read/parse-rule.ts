import { basename, dirname } from 'node:path';
import { isMap, isScalar, isSeq, type Scalar, type YAMLMap } from 'yaml';
import { type Pattern, validatePattern } from '../../engine/index.js';
import { checkMessage } from '../condition/check-message.js';
import { checkScore, RuleValues, type ValueScope } from '../condition/check-value.js';
import type { FeatureNames, ListNames, StepInfo } from '../condition/scope.js';
import type { Diagnostic } from '../diagnostic.js';
import { keyName } from '../key-name.js';
import type { KnownLists } from '../known-lists.js';
import { lintSteps } from '../lint/dead-steps.js';
import { revisionOf } from '../revision.js';
import type { Accuses, KeyBy, MessagePart, Rule, RuleStatus, Severity } from '../rule.js';
import { type EventSchema, type KnownStreams, type RuleStream, ruleStreams } from '../schema.js';
import { SCORE_BY_SEVERITY } from '../score.js';
import { DURATION_FORM, parseDuration } from '../source/duration.js';
import { suggest } from '../source/nearest.js';
import { fillIn, NO_PARAMETERS, type ParameterValues } from '../source/parameters.js';
import { SourceFile, type Span } from '../source/source-file.js';
import type { Parameter } from '../templates/parameter.js';
import { readParameters } from '../templates/read-parameters.js';
import { ENGINE_HINTS } from './engine-hints.js';
import { readAccuses } from './read-accuses.js';
import { FeatureReader } from './read-features.js';
import { allKeyFields, readKey } from './read-key.js';
import { LIFE_KEYS, readLife } from './read-life.js';
import { readLimits } from './read-limits.js';
import { readNearMisses } from './read-near-misses.js';
import { readSkip } from './read-skip.js';
import { StepReader } from './read-steps.js';
import { namedStreams, RuleStreams } from './read-streams.js';
import { WINDOW_KEYS, WindowReader } from './read-window.js';
import { readYaml } from './read-yaml.js';
import { Section, type YamlFile } from './yaml-section.js';

export const RULE_KEYS = [
  'id',
  'title',
  'description',
  'status',
  'key',
  'from',
  'within',
  'gap',
  'features',
  'pattern',
  'window',
  'skip',
  'nearMisses',
  'limits',
  'alert',
  'tags',
  'parameters',
  ...LIFE_KEYS,
] as const;
export const ALERT_KEYS = ['severity', 'score', 'message', 'accuses'] as const;
export const STATUSES: readonly RuleStatus[] = ['draft', 'shadow', 'live', 'retired'];
export const SEVERITIES: readonly Severity[] = ['low', 'medium', 'high', 'critical'];
/** Letters, digits and hyphens: an id stands in topics, metrics and addresses. */
export const ID_FORM = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/** What else a rule may refer to. */
export interface RuleContext {
  /** Absent: nothing is known of reference lists, so that any may be asked. */
  readonly lists?: KnownLists;
  /** Values of its parameters, in place of the defaults. */
  readonly parameters?: ParameterValues;
}

export interface ParsedRule {
  /** `null` when there is any error. */
  readonly rule: Rule | null;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads one rule. All that is wrong is told at once, in the order of the file. `known` are the streams that it may read;
 * where nothing is known of their events, any field is taken to be there. A rule that does not say what it reads is read as
 * one over each stream in turn: the stream is meant for which all of it holds. Never throws for bad text.
 */
export function parseRule(text: string, file: string, known: KnownStreams, context: RuleContext = {}): ParsedRule {
  const declared = readParameters(text, file);
  const filled = fillIn(text, valuesFor(declared.parameters, context.parameters ?? NO_PARAMETERS));
  const read = filled.missing.length === 0 ? parseText(filled.text, file, known, context) : withoutValues(file, filled);
  if (declared.diagnostics.length === 0) return read;
  const wrong = declared.diagnostics.some(({ severity }) => severity === 'error');
  return { rule: wrong ? null : read.rule, diagnostics: [...declared.diagnostics, ...read.diagnostics] };
}

/** Values that are given, and the defaults of the section `parameters`. */
function valuesFor(declared: readonly Parameter[], given: ParameterValues): ParameterValues {
  const byDefault = declared.filter((parameter) => parameter.default !== undefined);
  return byDefault.length === 0 ? given : new Map([...byDefault.map((p) => [p.name, p.default!] as const), ...given]);
}

function withoutValues(file: string, { text, missing }: ReturnType<typeof fillIn>): ParsedRule {
  const source = new SourceFile(file, text);
  for (const { name, ...span } of missing) {
    const hint = `Write \${${name}:VALUE} with the value that counts where none is given.`;
    source.error('parameter-without-value', span, `The parameter ${name} has no value.`, hint);
  }
  return { rule: null, diagnostics: source.diagnostics };
}

const NOT_A_MAP = 'A rule file is a map of keys and values.';
const BEGIN = 'Begin with id: …';

function parseText(text: string, file: string, known: KnownStreams, context: RuleContext): ParsedRule {
  const streams = ruleStreams(known);
  const source = new SourceFile(file, text);
  const document = readYaml(source);
  const map = document !== null && isMap(document.contents) ? document.contents : null;
  if (document === null || map === null) {
    if (document !== null)
      source.error('wrong-form', { start: 0, end: 1 }, text.trim() === '' ? 'The file is empty.' : NOT_A_MAP, BEGIN);
    return { rule: null, diagnostics: source.diagnostics };
  }
  const named = namedStreams(map, { source, document });
  const over = (fallback: readonly string[]): ParsedRule =>
    readOver({ text, file, context }, new RuleStreams(streams, named, fallback));
  if (named.rule.length > 0) return over(named.rule);
  if (!named.usesDefault || streams.length === 1) return over(namesOf(streams));
  const tried = streams.map(({ name }) => over([name]));
  const fitting = tried.filter(({ rule }) => rule !== null);
  if (fitting.length === 1) return fitting[0]!;
  if (streams.length > 0 && fitting.length === 0) return tried.reduce((a, b) => (errorsOf(b) < errorsOf(a) ? b : a));
  if (streams.length === 0 && named.parts.length === 0) return over([]);
  const fit = streams.length === 0 ? named.parts : streams.filter((_, i) => tried[i]!.rule !== null).map((s) => s.name);
  return refused(source, map, fit);
}

const namesOf = (streams: readonly RuleStream[]): readonly string[] => streams.map(({ name }) => name);

const errorsOf = ({ diagnostics }: ParsedRule): number => diagnostics.filter((d) => d.severity === 'error').length;

/** Of a rule that could read several streams. */
function refused(source: SourceFile, map: YAMLMap, fit: readonly string[]): ParsedRule {
  const pattern = map.items.find((pair) => isScalar(pair.key) && pair.key.value === 'pattern');
  const [start, end] = (pattern?.key as Scalar | undefined)?.range ?? [0, 1];
  const message = `Which stream is meant? ${fit.join(' and ')} would do.`;
  const hint = `Add from: ${fit[0]} to the rule, or to each step and feature.`;
  source.error('ambiguous-stream', { start, end }, message, hint);
  return { rule: null, diagnostics: source.diagnostics };
}

interface RuleInput {
  readonly text: string;
  readonly file: string;
  readonly context: RuleContext;
}

function readOver({ text, file, context }: RuleInput, streams: RuleStreams): ParsedRule {
  const source = new SourceFile(file, text);
  const document = readYaml(source)!;
  const rule = new RuleReader({ source, document }, streams, context).read(document.contents as YAMLMap);
  return { rule: source.hasErrors ? null : rule, diagnostics: source.diagnostics };
}

class RuleReader {
  private readonly fields = new Set<string>();
  private readonly places = new Map<string, Span>();
  private readonly lists: ListNames;
  private accuses: Accuses | undefined;
  private readonly values = new RuleValues();
  private readonly features: FeatureReader;
  private names: FeatureNames | undefined;
  /** What comes out of the rule's window, if it has one. */
  private result: EventSchema | null = null;

  constructor(
    private readonly yaml: YamlFile,
    private readonly streams: RuleStreams,
    context: RuleContext,
  ) {
    this.lists = { known: context.lists ?? null, used: new Set() };
    this.features = new FeatureReader(yaml, streams, this.fields, this.lists);
  }

  /** A rule that is worth nothing unless the file has no errors. */
  read(node: ConstructorParameters<typeof Section>[1]): Rule {
    const section = new Section(this.yaml, node, 'The rule', RULE_KEYS);
    const id = this.id(section);
    const title = section.text('title') ?? id;
    const description = section.text('description');
    this.streams.names(section);
    const keyBy = this.key(section);
    const { pattern, infos } = this.pattern(section, keyName(keyBy));
    // What counts in a window cannot be spoken of: only what comes out.
    const spokenOf = this.result === null ? infos : [];
    const alert = this.alert(section, title, spokenOf);
    this.features.judge(spokenOf);
    const features = this.features.used();
    const otherKeys = this.features.otherKeys();
    if (otherKeys.length > 0) this.cannotBeFilled(section);
    const { exprs } = this.values;
    const meaning = {
      id,
      title,
      ...(description === undefined ? {} : { description }),
      status: section.choice('status', STATUSES) ?? 'live',
      key: keyName(keyBy),
      keyBy,
      streams: this.streams.all,
      pattern,
      ...(exprs.length === 0 ? {} : { values: exprs }),
      ...(features.length === 0 ? {} : { features }),
      ...(otherKeys.length === 0 ? {} : { otherKeys }),
      alert,
      tags: this.tags(section),
      ...readLimits(section),
      ...readLife(section, this.result !== null),
    };
    const { accuses } = this;
    return {
      ...meaning,
      ...(accuses === undefined ? {} : { accuses }),
      revision: revisionOf(meaning),
      source: this.yaml.source.file,
      fields: [...this.fields].sort(),
      ...(this.lists.used.size === 0 ? {} : { lists: [...this.lists.used].sort() }),
    };
  }

  private id(section: Section): string {
    const id = section.text('id') ?? '';
    const entry = section.entry('id');
    if (entry === undefined) {
      section.missing('id', 'Add id: with the name of the folder.');
    } else if (id !== '' && (!ID_FORM.test(id) || id.length > 64)) {
      const hint = 'Use small letters, digits and single hyphens, at most 64.';
      section.source.error('bad-id', entry.span, `${id} cannot be an id.`, hint);
    } else if (id !== '' && basename(section.source.file) === 'pattern.yaml') {
      const folder = basename(dirname(section.source.file));
      if (folder !== id && folder !== '' && folder !== '.') {
        const message = `The rule is called ${id} and its folder ${folder}.`;
        section.source.warning('id-differs-from-folder', entry.span, message, 'Give both the same name.');
      }
    }
    return id;
  }

  private key(section: Section): KeyBy {
    const key = readKey(section, this.streams);
    for (const field of allKeyFields(key)) if (field !== '') this.fields.add(field);
    return key;
  }

  private pattern(section: Section, key: string): { pattern: Pattern; infos: readonly StepInfo[] } {
    const entry = section.entry('pattern');
    this.names = this.features.read(section, key);
    if (section.entry('window') !== undefined) return this.window(section);
    const scope = { fields: this.fields, features: this.names, lists: this.lists };
    this.note(section, 'within', 'gap', 'skip');
    const withinMs = section.parsed('within', 'bad-duration', DURATION_FORM, parseDuration);
    const gapMs = section.parsed('gap', 'bad-duration', DURATION_FORM, parseDuration);
    const skip = readSkip(section, this.places);
    if (entry === undefined) section.missing('pattern', 'Add pattern: with a list of steps, or window:.');
    else if (!isSeq(entry.node)) section.wrong(entry, 'a list of steps');
    if (!isSeq(entry?.node)) return { pattern: { steps: [] }, infos: [] };
    const { steps, infos, complete } = new StepReader(this.yaml, scope, this.streams, this.places).read(entry.node);
    const pattern: Pattern = {
      steps,
      ...(withinMs === undefined ? {} : { withinMs }),
      ...(gapMs === undefined ? {} : { gapMs }),
      ...(skip === undefined ? {} : { skip }),
      ...(readNearMisses(section, steps) ? { nearMisses: true } : {}),
    };
    if (complete) this.validate(pattern, section, infos);
    return { pattern, infos };
  }

  private window(section: Section): { pattern: Pattern; infos: readonly StepInfo[] } {
    for (const key of ['pattern', 'within', 'gap', 'skip', 'nearMisses']) {
      const entry = section.entry(key);
      if (entry === undefined) continue;
      const message = `A rule with a window has no ${key}.`;
      section.source.error('not-with-window', entry.keySpan, message, 'Leave it out, or make it two rules.');
    }
    const window = section.section('window', 'The window', WINDOW_KEYS);
    if (window === undefined) return { pattern: { steps: [] }, infos: [] };
    const scope = { fields: this.fields, features: this.names, lists: this.lists };
    const { pattern, infos, result } = new WindowReader(window, scope, this.streams, this.places).read();
    this.result = result;
    if (pattern !== null) this.validate(pattern, section, infos);
    return { pattern: pattern ?? { steps: [] }, infos };
  }

  private note(section: Section, ...keys: string[]): void {
    for (const key of keys) {
      const place = section.place(key);
      if (place !== undefined) this.places.set(key, place);
    }
  }

  /** Lets the engine judge the pattern, and brings its findings to their places in the file. */
  private validate(pattern: Pattern, section: Section, infos: readonly StepInfo[]): void {
    for (const problem of validatePattern(pattern)) {
      const names = pattern.steps.flatMap((step) => (step.kind === 'event' ? step.name : []));
      const target = pattern.skip !== undefined && 'step' in pattern.skip ? pattern.skip.step : '';
      const hint = problem.code === 'skip-target-unknown' ? suggest(target, names) : ENGINE_HINTS[problem.code];
      section.source.error(problem.code, this.placeOf(problem.path, section), problem.message, hint);
    }
    if (!section.source.hasErrors) {
      for (const { code, path, message, hint } of lintSteps(pattern, infos, this.streams.byDefault.schema))
        section.source.warning(code, this.placeOf(path, section), message, hint);
    }
    const [first] = pattern.steps;
    const endless = pattern.steps.length > 1 || first?.kind === 'group' || first?.quantifier !== undefined;
    const windowed = section.entry('within') !== undefined || pattern.steps.some((step) => step.withinMs !== undefined);
    if (!endless || windowed) return;
    const message = 'The pattern has no window: what has begun is kept for ever.';
    section.source.warning('no-window', section.entry('pattern')!.keySpan, message, 'Add within: to the rule.');
    const life = section.entry('onUpdate');
    if (life === undefined || section.text('onUpdate') !== 'backfill') return;
    const why =
      'A rule without a window cannot be filled from the log: nothing says how far back it would have to be read.';
    section.source.error('backfill-without-window', life.span, why, 'Add within: to the rule.');
  }

  /** What was told of events before does not say what another key's features were. */
  private cannotBeFilled(section: Section): void {
    const life = section.entry('onUpdate');
    if (life === undefined || section.text('onUpdate') !== 'backfill') return;
    const why = 'A rule with features of another key cannot be filled from the log: they count from its start on.';
    section.source.error('backfill-with-other-key', life.span, why, 'Leave onUpdate out, or the key of the feature.');
  }

  private placeOf(path: readonly (string | number)[], section: Section): Span {
    for (let length = path.length; length > 0; length--) {
      const place = this.places.get(path.slice(0, length).join('/'));
      if (place !== undefined) return place;
    }
    return (section.entry('pattern') ?? section.entry('window'))!.keySpan;
  }

  private alert(rule: Section, title: string, steps: readonly StepInfo[]): Rule['alert'] {
    const section = rule.section('alert', 'The alert', ALERT_KEYS);
    this.accuses = readAccuses(section, steps);
    const severity = section?.choice('severity', SEVERITIES) ?? 'medium';
    const { lists } = this;
    const fields = this.result === null ? this.fields : new Set<string>();
    const isOfResult = this.result !== null;
    const scope: ValueScope = {
      schema: this.lastSchema(steps),
      steps,
      fields,
      features: this.names,
      lists,
      isOfResult,
    };
    const score = section === undefined ? undefined : this.score(section, scope);
    const text = section?.scalarText('message', 'text');
    const plain: MessagePart[] = [{ kind: 'text', text: title }];
    const { values } = this;
    const message = text === undefined ? plain : checkMessage(text.text.trimEnd(), { ...scope, values }, text);
    return { severity, score: score ?? SCORE_BY_SEVERITY[severity], message };
  }

  /** `undefined`: it says none, or a wrong one that is reported. */
  private score(section: Section, scope: ValueScope): Rule['alert']['score'] | undefined {
    const entry = section.entry('score');
    if (entry === undefined) return undefined;
    if (!isScalar(entry.node) || typeof entry.node.value !== 'string' || isNumeric(entry.node.value)) {
      return section.parsed('score', 'bad-value', 'a number from 0 to 100, or an expression', parseScore);
    }
    const text = section.scalarText('score', 'an expression');
    const expr = text === undefined ? null : checkScore(text.text, scope, text);
    return expr === null ? undefined : { value: this.values.add(expr) };
  }

  /** What is known of the events that complete a match. */
  private lastSchema(steps: readonly StepInfo[]): EventSchema | null {
    if (this.result !== null) return this.result;
    const last = steps.findLast((step) => !step.negated);
    return last?.schema === undefined ? this.streams.byDefault.schema : last.schema;
  }

  private tags(section: Section): readonly string[] {
    const entry = section.entry('tags');
    if (entry === undefined) return [];
    const items = isSeq(entry.node) ? entry.node.items : [];
    const tags = items.flatMap((item) => (isScalar(item) && typeof item.value === 'string' ? item.value : []));
    if (!isSeq(entry.node) || tags.length < items.length) section.wrong(entry, 'a list of texts');
    return tags;
  }
}

const isNumeric = (text: string): boolean => text.trim() !== '' && !Number.isNaN(Number(text));

function parseScore(text: string): number | undefined {
  const score = Number(text);
  return text !== '' && score >= 0 && score <= 100 ? score : undefined;
}
