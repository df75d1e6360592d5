import { isMap, isSeq, type Node } from 'yaml';
import type { Feature, FeatureFn, NamedFeature } from '../../engine/index.js';
import { type FeatureNames, isMeta, type KnownFeature, type ListNames, type StepInfo } from '../condition/scope.js';
import { keyName } from '../key-name.js';
import type { KeyBy, OtherKey } from '../rule.js';
import { DURATION_FORM, parseDuration } from '../source/duration.js';
import type { Span } from '../source/source-file.js';
import { allKeyFields, readKey } from './read-key.js';
import { STATISTICS, StatisticReader, typeOfStatistic } from './read-statistic.js';
import { NAME_FORM, RESERVED_NAMES } from './read-steps.js';
import { andOf, type RuleStreams } from './read-streams.js';
import { Section, spanOf, type YamlFile } from './yaml-section.js';

/** All keys that a feature may have. */
export const FEATURE_KEYS: readonly string[] = [
  'name',
  ...STATISTICS,
  ...['q', 'over', 'lagging', 'where', 'from', 'key'],
];

interface Draft {
  readonly section: Section;
  readonly name: string;
  readonly nameSpan: Span;
}

/**
 * Reads the features of a rule: first all names, so that a feature that names another is told so; then what they are. Once
 * all else is read, `judge` says which names clash with theirs, and which feature nobody reads.
 */
export class FeatureReader {
  private readonly drafts: Draft[] = [];
  private readonly known = new Map<string, KnownFeature | null>();
  private readonly namesUsed = new Set<string>();
  private readonly statistics: StatisticReader;
  private ownKey = '';

  constructor(
    private readonly yaml: YamlFile,
    private readonly streams: RuleStreams,
    /** Where the names of the fields that features read are put. */
    private readonly fields: Set<string>,
    lists: ListNames,
  ) {
    this.statistics = new StatisticReader('feature', STATISTICS, { fields, lists, features: this.known });
  }

  /** `key`: the name of the rule's own. */
  read(rule: Section, key: string): FeatureNames {
    this.ownKey = key;
    const entry = rule.entry('features');
    if (entry !== undefined && !isSeq(entry.node)) rule.wrong(entry, 'a list of features');
    for (const item of isSeq(entry?.node) ? entry.node.items : []) this.draft(item as Node);
    for (const draft of this.drafts) {
      const feature = this.feature(draft.section);
      if (feature !== null && draft.name !== '' && !this.known.get(draft.name)) this.known.set(draft.name, feature);
    }
    return { known: this.known, used: this.namesUsed };
  }

  judge(steps: readonly StepInfo[]): void {
    const { source } = this.yaml;
    for (const { name, nameSpan } of this.drafts) {
      if (name === '') continue;
      if (steps.some((step) => step.name === name)) {
        source.error('feature-shadows', nameSpan, `There is a step called ${name} as well.`, RENAME);
      } else if (!this.namesUsed.has(name) && !source.hasErrors) {
        const hint = `Name ${name} in a condition, the message or the score, or remove it.`;
        source.warning('feature-unused', nameSpan, `Nothing reads ${name}.`, hint);
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

  /** Those that a condition, the message or the score reads, by their names; to be asked when all of them have been read. */
  used(): readonly NamedFeature[] {
    return [...this.known].flatMap(([name, known]) =>
      known !== null && this.namesUsed.has(name) ? { name, feature: known.feature } : [],
    );
  }

  /** Of those that `used` tells, what is of other keys; to be asked when all of them have been read. */
  otherKeys(): readonly OtherKey[] {
    const byKey = new Map<string, OtherKey>();
    for (const [name, known] of this.known) {
      if (known?.other === undefined || !this.namesUsed.has(name)) continue;
      const { feature, other } = known;
      const key = feature.of!;
      const { streams, features } = byKey.get(key) ?? { streams: [], features: [] };
      const all = [...new Set([...streams, ...other.streams])].sort();
      byKey.set(key, { key, keyBy: other.keyBy, streams: all, features: [...features, feature] });
    }
    return [...byKey.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** `null` when anything of it is wrong. */
  private feature(section: Section): KnownFeature | null {
    const isOther = section.entry('key') !== undefined;
    const reads = isOther ? this.streams.ofOtherKey(section) : { ...this.streams.of(section), all: [] };
    const statistic = this.statistics.read(section, reads);
    const overMs = this.over(section);
    const lagMs = this.lagging(section, statistic?.fn);
    const keyBy = isOther ? this.otherKey(section, reads.all) : undefined;
    if (statistic === null || overMs === undefined || lagMs === null || keyBy === null) return null;
    const { fn, field, q } = statistic;
    const where = andOf(reads.test, statistic.where);
    const feature: Feature = {
      fn,
      ...(field === undefined ? {} : { field: field.name }),
      ...(q === undefined ? {} : { q }),
      overMs,
      ...(lagMs === undefined ? {} : { lagMs }),
      ...(where === undefined ? {} : { where }),
      ...(keyBy === undefined ? {} : { of: keyName(keyBy) }),
    };
    const other = keyBy && { keyBy, streams: reads.all };
    return { feature, ...typeOfStatistic(statistic), ...(other && { other }) };
  }

  /** The key of a feature that has its own; `null`: wrong, and reported. */
  private otherKey(section: Section, streams: readonly string[]): KeyBy | null {
    const { source } = section;
    const keyBy = readKey(section, this.streams.with(streams));
    const { span } = section.entry('key')!;
    if (keyBy.form === 'each') {
      source.error('bad-value', span, 'A feature has one key at each event.', 'Make it one feature for each field.');
      return null;
    }
    if (keyName(keyBy) === this.ownKey) {
      source.error('bad-value', span, `${this.ownKey} is the key of the rule.`, 'Leave key out.');
      return null;
    }
    for (const field of allKeyFields(keyBy)) this.fields.add(field);
    return keyBy;
  }

  /** `undefined`: it does not lag; `null`: wrong, and reported. */
  private lagging(section: Section, fn: FeatureFn | undefined): number | undefined | null {
    const entry = section.entry('lagging');
    if (entry === undefined) return undefined;
    if (fn === 'since') {
      const message = 'since tells the time since the event before: it cannot lag.';
      section.source.error('wrong-form', entry.keySpan, message, 'Leave lagging out.');
      return null;
    }
    const lagMs = section.parsed('lagging', 'bad-duration', DURATION_FORM, parseDuration);
    if (lagMs !== 0) return lagMs ?? null;
    const hint = 'Leave it out, or write a time such as 7d.';
    section.source.error('bad-value', entry.span, 'lagging must be longer than nothing.', hint);
    return null;
  }

  private over(section: Section): number | undefined {
    const entry = section.entry('over');
    if (entry === undefined) section.missing('over', 'Add over: with the length of the window, such as 5m.');
    const overMs = section.parsed('over', 'bad-duration', DURATION_FORM, parseDuration);
    if (overMs !== 0) return overMs;
    section.source.error('bad-value', entry!.span, 'over must be longer than nothing.', 'Write a window such as 5m.');
    return undefined;
  }
}

const RENAME = 'Choose another name.';
