import { isMap, isScalar, isSeq, type Node } from 'yaml';
import type { Expr, Feature, FeatureFn } from '../../engine/index.js';
import { checkCondition } from '../condition/check-condition.js';
import { type FeatureNames, fieldNames, fieldOf, isMeta, type ListNames, type StepInfo } from '../condition/scope.js';
import { DURATION_FORM, parseDuration } from '../source/duration.js';
import { suggest } from '../source/nearest.js';
import type { Span } from '../source/source-file.js';
import { NAME_FORM, RESERVED_NAMES } from './read-steps.js';
import { andOf, type Reads, type RuleStreams } from './read-streams.js';
import { Section, spanOf, type YamlFile } from './yaml-section.js';

const STATISTICS: readonly FeatureFn[] = ['count', 'sum', 'avg', 'min', 'max'];

/** All keys that a feature may have. */
export const FEATURE_KEYS: readonly string[] = ['name', ...STATISTICS, 'over', 'where', 'from'];

interface Draft {
  readonly section: Section;
  readonly name: string;
  readonly nameSpan: Span;
}

/**
 * Reads the features of a rule: first all names, so that a feature that names another is told so; then what they are. Once the
 * steps are read, `judge` says which names clash with theirs, and which feature nobody reads.
 */
export class FeatureReader {
  private readonly drafts: Draft[] = [];
  private readonly known = new Map<string, Feature | null>();
  private readonly used = new Set<string>();

  constructor(
    private readonly yaml: YamlFile,
    private readonly streams: RuleStreams,
    /** Where the names of the fields that features read are put. */
    private readonly fields: Set<string>,
    private readonly lists: ListNames,
  ) {}

  read(rule: Section): FeatureNames {
    const entry = rule.entry('features');
    if (entry !== undefined && !isSeq(entry.node)) rule.wrong(entry, 'a list of features');
    for (const item of isSeq(entry?.node) ? entry.node.items : []) this.draft(item as Node);
    for (const draft of this.drafts) {
      const feature = this.feature(draft.section);
      if (feature !== null && draft.name !== '' && !this.known.get(draft.name)) this.known.set(draft.name, feature);
    }
    return { known: this.known, used: this.used };
  }

  judge(steps: readonly StepInfo[]): void {
    const { source } = this.yaml;
    for (const { name, nameSpan } of this.drafts) {
      if (name === '') continue;
      if (steps.some((step) => step.name === name)) {
        source.error('feature-shadows', nameSpan, `There is a step called ${name} as well.`, RENAME);
      } else if (!this.used.has(name) && !source.hasErrors) {
        const hint = `Name ${name} in a condition, or remove it.`;
        source.warning('feature-unused', nameSpan, `No condition reads ${name}.`, hint);
      }
    }
  }

  private draft(node: Node): void {
    if (!isMap(node)) {
      const hint = 'Write name: …, then count: true or sum: field, and over: 5m.';
      this.yaml.source.error('wrong-form', spanOf(node), 'A feature is a map of keys and values.', hint);
      return;
    }
    const section = new Section(this.yaml, node, 'The feature', FEATURE_KEYS);
    const entry = section.entry('name');
    if (entry === undefined) section.missing('name', 'Add name: with the word that conditions use.');
    const given = section.text('name', 'the name of the feature') ?? '';
    const name = entry !== undefined && this.nameFits(given, entry.span) ? given : '';
    this.drafts.push({ section, name, nameSpan: entry?.span ?? section.span });
    if (name !== '') this.known.set(name, null);
  }

  private nameFits(name: string, span: Span): boolean {
    const { source } = this.yaml;
    if (name === '') return false;
    if (!NAME_FORM.test(name) || RESERVED_NAMES.has(name)) {
      const hint = 'Use letters, digits and _, begin with a letter, and take no word of conditions.';
      source.error('bad-feature-name', span, `A feature cannot be called ${name}.`, hint);
    } else if (this.known.has(name)) {
      source.error('duplicate-feature-name', span, `There are two features called ${name}.`, RENAME);
    } else if (this.streams.schemas().some(({ schema }) => schema?.fields.has(name) || isMeta({ schema }, name))) {
      source.error('feature-shadows', span, `${name} means a field of the event already.`, RENAME);
    } else {
      return true;
    }
    return false;
  }

  /** `null` when anything of it is wrong. */
  private feature(section: Section): Feature | null {
    const fn = this.statistic(section);
    const reads = this.streams.of(section);
    const field = fn === undefined || fn === 'count' ? undefined : this.field(section, fn, reads);
    const counted = fn === 'count' && this.counts(section);
    const overMs = this.over(section);
    const condition = this.where(section, reads);
    const where = condition === null ? null : andOf(reads.test, condition);
    if (fn === undefined || overMs === undefined || where === null) return null;
    if (!counted && field === undefined) return null;
    return { fn, ...(field === undefined ? {} : { field }), overMs, ...(where === undefined ? {} : { where }) };
  }

  private statistic(section: Section): FeatureFn | undefined {
    const [first, second] = STATISTICS.filter((fn) => section.entry(fn) !== undefined);
    if (first === undefined) {
      const start = section.span.start;
      const message = 'The feature does not say what it tells of the events.';
      const hint = `Give it one of ${STATISTICS.join(', ')}.`;
      section.source.error('feature-without-statistic', { start, end: start }, message, hint);
    } else if (second !== undefined) {
      const message = `The feature has both ${first} and ${second}.`;
      const { keySpan } = section.entry(second)!;
      section.source.error('feature-statistic-twice', keySpan, message, 'Make it two features.');
    }
    return second === undefined ? first : undefined;
  }

  private counts(section: Section): boolean {
    const entry = section.entry('count')!;
    if (isScalar(entry.node) && entry.node.value === true) return true;
    const hint = 'Write count: true, and where: for which events count.';
    section.source.error('wrong-form', entry.span, 'count must be true.', hint);
    return false;
  }

  private field(section: Section, fn: FeatureFn, { schema }: Reads): string | undefined {
    const name = section.text(fn, 'the name of a field that holds numbers');
    if (name === undefined) return undefined;
    const { span } = section.entry(fn)!;
    const field = fieldOf({ schema }, name);
    if (field === null) {
      const numbers = [...fieldNames({ schema })].filter(
        (candidate) => schema?.fields.get(candidate)?.type === 'number',
      );
      section.source.error('unknown-field', span, `There is no field ${name}.`, suggest(name, numbers));
      return undefined;
    }
    if (field !== 'unknown' && field.type !== 'number') {
      section.source.error('type-mismatch', span, `${fn} takes numbers, and ${name} holds none.`);
      return undefined;
    }
    this.fields.add(name);
    return name;
  }

  private over(section: Section): number | undefined {
    const entry = section.entry('over');
    if (entry === undefined) section.missing('over', 'Add over: with the length of the window, such as 5m.');
    const overMs = section.parsed('over', 'bad-duration', DURATION_FORM, parseDuration);
    if (overMs !== 0) return overMs;
    section.source.error('bad-value', entry!.span, 'over must be longer than nothing.', 'Write a window such as 5m.');
    return undefined;
  }

  /** `undefined`: every event counts; `null`: wrong, and reported. */
  private where(section: Section, { schema }: Reads): Expr | undefined | null {
    if (section.entry('where') === undefined) return undefined;
    const text = section.scalarText('where', 'a condition');
    if (text === undefined) return null;
    const features = { known: this.known, used: new Set<string>() };
    const scope = { schema, steps: [], self: -1, fields: this.fields, features, lists: this.lists };
    return checkCondition(text.text, scope, text);
  }
}

const RENAME = 'Choose another name.';
