import { basename, dirname } from 'node:path';
import { isMap, isScalar, isSeq } from 'yaml';
import { type Pattern, validatePattern } from '../../engine/index.js';
import { checkMessage } from '../condition/check-message.js';
import { fieldNames, fieldOf, type StepInfo } from '../condition/scope.js';
import type { Diagnostic } from '../diagnostic.js';
import { revisionOf } from '../revision.js';
import type { MessagePart, Rule, RuleStatus, Severity } from '../rule.js';
import type { EventSchema } from '../schema.js';
import { DURATION_FORM, parseDuration } from '../source/duration.js';
import { suggest } from '../source/nearest.js';
import { SourceFile, type Span } from '../source/source-file.js';
import { ENGINE_HINTS } from './engine-hints.js';
import { FeatureReader } from './read-features.js';
import { readSkip } from './read-skip.js';
import { StepReader } from './read-steps.js';
import { readYaml } from './read-yaml.js';
import { Section, type YamlFile } from './yaml-section.js';

export const RULE_KEYS = [
  'id',
  'title',
  'description',
  'status',
  'key',
  'within',
  'gap',
  'features',
  'pattern',
  'skip',
  'alert',
  'tags',
] as const;
export const ALERT_KEYS = ['severity', 'score', 'message'] as const;
export const STATUSES: readonly RuleStatus[] = ['draft', 'shadow', 'live', 'retired'];
export const SEVERITIES: readonly Severity[] = ['low', 'medium', 'high', 'critical'];
/** Letters, digits and hyphens: an id stands in topics, metrics and addresses. */
export const ID_FORM = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/** What a rule scores that says only how severe it is. */
const SCORE_BY_SEVERITY: Readonly<Record<Severity, number>> = { low: 20, medium: 50, high: 80, critical: 95 };

export interface ParsedRule {
  /** `null` when there is any error. */
  readonly rule: Rule | null;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads one rule. All that is wrong is told at once, in the order of the file. `schema` is what is known of the events,
 * or `null`; then any field is taken to be there. Never throws for bad text.
 */
export function parseRule(text: string, file: string, schema: EventSchema | null): ParsedRule {
  const source = new SourceFile(file, text);
  const document = readYaml(source);
  let rule: Rule | null = null;
  if (document !== null) {
    if (isMap(document.contents)) rule = new RuleReader({ source, document }, schema).read(document.contents);
    else
      source.error('wrong-form', { start: 0, end: 1 }, 'A rule file is a map of keys and values.', 'Begin with id: …');
  }
  return { rule: source.hasErrors ? null : rule, diagnostics: source.diagnostics };
}

class RuleReader {
  private readonly fields = new Set<string>();
  private readonly places = new Map<string, Span>();

  constructor(
    private readonly yaml: YamlFile,
    private readonly schema: EventSchema | null,
  ) {}

  /** A rule that is worth nothing unless the file has no errors. */
  read(node: ConstructorParameters<typeof Section>[1]): Rule {
    const section = new Section(this.yaml, node, 'The rule', RULE_KEYS);
    const id = this.id(section);
    const title = section.text('title') ?? id;
    const description = section.text('description');
    const key = this.key(section);
    const { pattern, infos } = this.pattern(section);
    const meaning = {
      id,
      title,
      ...(description === undefined ? {} : { description }),
      status: section.choice('status', STATUSES) ?? 'live',
      key,
      pattern,
      alert: this.alert(section, title, infos),
      tags: this.tags(section),
    };
    return {
      ...meaning,
      revision: revisionOf(meaning),
      source: this.yaml.source.file,
      fields: [...this.fields].sort(),
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

  private key(section: Section): string {
    const key = section.text('key', 'the name of a field') ?? '';
    const entry = section.entry('key');
    if (entry === undefined) {
      section.missing('key', 'Add key: with the field that events are grouped by, such as the account.');
      return key;
    }
    if (key === '') return key;
    const field = fieldOf({ schema: this.schema }, key);
    if (field === null) {
      const hint = suggest(key, fieldNames({ schema: this.schema }));
      section.source.error('unknown-field', entry.span, `There is no field ${key}.`, hint);
    } else if (field !== 'unknown' && field.type === 'other') {
      const message = `${key} is a record or list: events cannot be grouped by it.`;
      section.source.error('type-mismatch', entry.span, message);
    }
    this.fields.add(key);
    return key;
  }

  private pattern(section: Section): { pattern: Pattern; infos: readonly StepInfo[] } {
    const entry = section.entry('pattern');
    const features = new FeatureReader(this.yaml, this.schema, this.fields);
    const scope = { schema: this.schema, fields: this.fields, features: features.read(section) };
    this.note(section, 'within', 'gap', 'skip');
    const withinMs = section.parsed('within', 'bad-duration', DURATION_FORM, parseDuration);
    const gapMs = section.parsed('gap', 'bad-duration', DURATION_FORM, parseDuration);
    const skip = readSkip(section, this.places);
    if (entry === undefined) section.missing('pattern', 'Add pattern: with a list of steps.');
    else if (!isSeq(entry.node)) section.wrong(entry, 'a list of steps');
    if (!isSeq(entry?.node)) return { pattern: { steps: [] }, infos: [] };
    const { steps, infos, complete } = new StepReader(this.yaml, scope, this.places).read(entry.node);
    features.judge(infos);
    const pattern: Pattern = {
      steps,
      ...(withinMs === undefined ? {} : { withinMs }),
      ...(gapMs === undefined ? {} : { gapMs }),
      ...(skip === undefined ? {} : { skip }),
    };
    if (complete) this.validate(pattern, section);
    return { pattern, infos };
  }

  private note(section: Section, ...keys: string[]): void {
    for (const key of keys) {
      const place = section.place(key);
      if (place !== undefined) this.places.set(key, place);
    }
  }

  /** Lets the engine judge the pattern, and brings its findings to their places in the file. */
  private validate(pattern: Pattern, section: Section): void {
    for (const problem of validatePattern(pattern)) {
      const names = pattern.steps.flatMap((step) => (step.kind === 'event' ? step.name : []));
      const target = pattern.skip !== undefined && 'step' in pattern.skip ? pattern.skip.step : '';
      const hint = problem.code === 'skip-target-unknown' ? suggest(target, names) : ENGINE_HINTS[problem.code];
      section.source.error(problem.code, this.placeOf(problem.path, section), problem.message, hint);
    }
    const [first] = pattern.steps;
    const endless = pattern.steps.length > 1 || first?.kind === 'group' || first?.quantifier !== undefined;
    const windowed = section.entry('within') !== undefined || pattern.steps.some((step) => step.withinMs !== undefined);
    if (endless && !windowed) {
      const message = 'The pattern has no window: what has begun is kept for ever.';
      section.source.warning('no-window', section.entry('pattern')!.keySpan, message, 'Add within: to the rule.');
    }
  }

  private placeOf(path: readonly (string | number)[], section: Section): Span {
    for (let length = path.length; length > 0; length--) {
      const place = this.places.get(path.slice(0, length).join('/'));
      if (place !== undefined) return place;
    }
    return section.entry('pattern')!.keySpan;
  }

  private alert(rule: Section, title: string, steps: readonly StepInfo[]): Rule['alert'] {
    const section = rule.section('alert', 'The alert', ALERT_KEYS);
    const severity = section?.choice('severity', SEVERITIES) ?? 'medium';
    const score = section?.parsed('score', 'bad-value', 'a number from 0 to 100', parseScore);
    const text = section?.scalarText('message', 'text');
    const plain: MessagePart[] = [{ kind: 'text', text: title }];
    const scope = { schema: this.schema, steps, fields: this.fields };
    const message = text === undefined ? plain : checkMessage(text.text.trimEnd(), scope, text);
    return { severity, score: score ?? SCORE_BY_SEVERITY[severity], message };
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

function parseScore(text: string): number | undefined {
  const score = Number(text);
  return text !== '' && score >= 0 && score <= 100 ? score : undefined;
}
