import { isMap, isSeq, type Node, type YAMLSeq } from 'yaml';
import type { Contiguity, EventStep, Expr, PatternPath, Quantifier, Step } from '../../engine/index.js';
import { checkCondition } from '../condition/check-condition.js';
import type { RuleScope, Scope, StepInfo } from '../condition/scope.js';
import { DURATION_FORM, parseDuration } from '../source/duration.js';
import { ScalarText } from '../source/scalar-text.js';
import type { Span } from '../source/source-file.js';
import { andOf, type Reads, type RuleStreams } from './read-streams.js';
import { readSubtype, readWhere } from './read-where.js';
import { Section, spanOf, type YamlFile } from './yaml-section.js';

/** Key of a step to how it follows the one before. */
const CONTIGUITIES: ReadonlyMap<string, Contiguity> = new Map([
  ['begin', 'start'],
  ['next', 'next'],
  ['followedBy', 'followedBy'],
  ['followedByAny', 'followedByAny'],
  ['notNext', 'notNext'],
  ['notFollowedBy', 'notFollowedBy'],
]);
const INSIDE = ['relaxed', 'consecutive', 'combinations'] as const;
const MODIFIERS = [
  'from',
  'where',
  'or',
  'subtype',
  'times',
  'oneOrMore',
  'inside',
  'greedy',
  'optional',
  'until',
  'within',
  'gap',
] as const;

/** All keys that a step may have. */
export const STEP_KEYS: readonly string[] = [...CONTIGUITIES.keys(), ...MODIFIERS];

/** What a group cannot have, and the code of the mistake. */
const ON_GROUP = {
  where: 'where-on-group',
  or: 'where-on-group',
  subtype: 'subtype-on-group',
  from: 'from-on-group',
} as const;

/** What conditions can refer to. */
export const NAME_FORM = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Words of conditions, which would read as something else there. */
export const RESERVED_NAMES = new Set(['true', 'false', 'null', 'in', 'key', 'duration']);

/** A step of which the form is read, and the conditions are not yet: they may refer to steps around. */
interface Draft {
  readonly section: Section;
  readonly contiguity: Contiguity;
  /** Index among all steps that have names, or -1 for a group. */
  readonly index: number;
  readonly name: string;
  readonly steps: readonly Draft[] | null;
  readonly reads: Reads;
  readonly path: PatternPath;
  readonly quantifier: Quantifier | undefined;
}

export interface ReadSteps {
  readonly steps: readonly Step[];
  readonly infos: readonly StepInfo[];
  /** Every step could be read, so that what the engine says of the whole is worth telling. */
  readonly complete: boolean;
}

/** Reads the steps of a pattern in two passes: first all names, then the conditions, which may refer to them. */
export class StepReader {
  private readonly infos: StepInfo[] = [];
  private complete = true;

  constructor(
    private readonly yaml: YamlFile,
    private readonly scope: RuleScope,
    private readonly streams: RuleStreams,
    /** Place in the file by path in the pattern, for what the engine finds wrong. */
    private readonly places: Map<string, Span>,
  ) {}

  read(list: YAMLSeq): ReadSteps {
    const drafts = this.drafts(list, ['steps'], false);
    return { steps: drafts.map((draft) => this.finish(draft)), infos: this.infos, complete: this.complete };
  }

  private drafts(list: YAMLSeq, path: PatternPath, repeats: boolean): Draft[] {
    this.places.set(path.join('/'), spanOf(list));
    const drafts: Draft[] = [];
    for (const item of list.items) {
      const node = item as Node;
      if (!isMap(node)) {
        const hint = 'Write begin: name, next: name, followedBy: name ….';
        this.yaml.source.error('wrong-form', spanOf(node), 'A step is a map of keys and values.', hint);
        this.complete = false;
        continue;
      }
      const draft = this.draft(new Section(this.yaml, node, 'A step', STEP_KEYS), [...path, drafts.length], repeats);
      if (draft !== null) drafts.push(draft);
    }
    return drafts;
  }

  private draft(section: Section, path: PatternPath, outerRepeats: boolean): Draft | null {
    const key = this.contiguityKey(section);
    if (key === undefined) return null;
    const contiguity = CONTIGUITIES.get(key)!;
    const quantifier = this.quantifier(section);
    const repeats = outerRepeats || (quantifier !== undefined && quantifier.to !== 1);
    this.note(section, path, key);
    const entry = section.entry(key)!;
    if (isMap(entry.node)) {
      const steps = this.group(section, key, path, repeats);
      return { section, contiguity, index: -1, name: '', steps, reads: this.streams.byDefault, path, quantifier };
    }
    const name = this.name(section, key);
    const negated = contiguity === 'notNext' || contiguity === 'notFollowedBy';
    const reads = this.streams.of(section);
    const index = this.infos.push({ name, negated, repeats, schema: reads.schema }) - 1;
    return { section, contiguity, index, name, steps: null, reads, path, quantifier };
  }

  private contiguityKey(section: Section): string | undefined {
    const [first, second] = section.keys.filter((key) => CONTIGUITIES.has(key));
    const names = [...CONTIGUITIES.keys()].join(', ');
    if (first === undefined) {
      this.complete = false;
      const start = section.span.start;
      const message = 'The step does not say how it follows the one before.';
      section.source.error('step-without-name', { start, end: start }, message, `Give it one of ${names}.`);
    } else if (second !== undefined) {
      const message = `The step has both ${first} and ${second}.`;
      section.source.error('step-named-twice', section.entry(second)!.keySpan, message, 'Make it two steps.');
    }
    return first;
  }

  private name(section: Section, key: string): string {
    const name = section.text(key, 'the name of the step, or {group: […]}') ?? '';
    if (name === '') this.complete = false;
    else if (!NAME_FORM.test(name)) {
      const hint = 'Use letters, digits and _, and begin with a letter: conditions refer to it.';
      section.source.error('bad-step-name', section.entry(key)!.span, `A step cannot be called ${name}.`, hint);
    } else if (RESERVED_NAMES.has(name)) {
      const message = `A step cannot be called ${name}: the word means something else in conditions and messages.`;
      section.source.error('bad-step-name', section.entry(key)!.span, message);
    }
    return name;
  }

  private group(section: Section, key: string, path: PatternPath, repeats: boolean): readonly Draft[] {
    const inner = section.section(key, 'A group', ['group']);
    for (const condition of ['where', 'or', 'subtype', 'from'] as const) {
      const place = section.place(condition);
      if (place === undefined) continue;
      const code = ON_GROUP[condition];
      section.source.error(code, place, `A group has no ${condition} of its own.`, 'Put it on the steps inside.');
    }
    const entry = inner?.entry('group');
    if (inner === undefined || entry === undefined) {
      this.complete = false;
      inner?.missing('group', 'Write {group: [steps]}.');
      return [];
    }
    if (isSeq(entry.node)) return this.drafts(entry.node, [...path, 'steps'], repeats);
    this.complete = false;
    inner.wrong(entry, 'a list of steps');
    return [];
  }

  /** Notes where the parts of a step stand. */
  private note(section: Section, path: PatternPath, key: string): void {
    const at = (span: Span | undefined, ...more: string[]): void => {
      if (span !== undefined) this.places.set([...path, ...more].join('/'), span);
    };
    const head = isMap(section.entry(key)!.node) ? section.entry(key)!.keySpan : section.place(key);
    at(head);
    at(head, 'contiguity');
    at(section.entry(key)!.span, 'name');
    at(section.place('times') ?? section.place('oneOrMore'), 'quantifier');
    at(section.place('gap'), 'quantifier', 'gap');
    for (const modifier of MODIFIERS) at(section.place(modifier), modifier);
  }

  private quantifier(section: Section): Quantifier | undefined {
    const loop = section.flag('oneOrMore');
    const range = section.parsed('times', 'bad-times', 'a count such as 3, a range such as 3..5, or 3+', parseTimes);
    if (section.entry('times') && section.entry('oneOrMore')) {
      const hint = 'Leave one of them out.';
      section.source.error(
        'quantifier-twice',
        section.place('oneOrMore')!,
        'times and oneOrMore exclude each other.',
        hint,
      );
    }
    const found = range ?? (loop === true ? { from: 1, to: null } : undefined);
    const gapMs = found && this.duration(section, 'gap');
    return gapMs === undefined ? found : { ...found!, gapMs };
  }

  private finish(draft: Draft): Step {
    const { section, contiguity, quantifier } = draft;
    const inside = section.choice('inside', INSIDE);
    const until = andUntil(draft.reads, this.condition(draft, 'until'));
    const withinMs = this.duration(section, 'within');
    const gapMs = quantifier === undefined ? this.duration(section, 'gap') : undefined;
    const base = {
      contiguity,
      ...(quantifier === undefined ? {} : { quantifier }),
      ...(inside === undefined ? {} : { inside }),
      ...(section.flag('greedy') === true ? { greedy: true } : {}),
      ...(until === undefined ? {} : { until }),
      ...(section.flag('optional') === true ? { optional: true } : {}),
      ...(withinMs === undefined ? {} : { withinMs }),
      ...(gapMs === undefined ? {} : { gapMs }),
    };
    if (draft.steps !== null) return { kind: 'group', ...base, steps: draft.steps.map((step) => this.finish(step)) };
    const where = andOf(
      draft.reads.test,
      readWhere(section, (text) => this.check(draft, text)),
    );
    const subtype = readSubtype(section, draft.reads.schema);
    return {
      kind: 'event',
      name: draft.name,
      ...base,
      ...(where === undefined ? {} : { where }),
      ...(subtype === undefined ? {} : { subtype }),
    } satisfies EventStep;
  }

  private duration(section: Section, key: string): number | undefined {
    return section.parsed(key, 'bad-duration', DURATION_FORM, parseDuration);
  }

  private condition(draft: Draft, key: 'until'): Expr | undefined {
    const text = draft.section.scalarText(key, 'a condition');
    return text && this.check(draft, text);
  }

  private check(draft: Draft, text: ScalarText): Expr | undefined {
    // The until of a group is tested with all that the group has matched.
    const self = draft.index >= 0 ? draft.index : lastIndex(draft);
    const scope: Scope = { ...this.scope, schema: draft.reads.schema, steps: this.infos, self };
    return checkCondition(text.text, scope, text) ?? undefined;
  }
}

/** A step without a bound ends with an event of its own streams. */
const andUntil = (reads: Reads, until: Expr | undefined): Expr | undefined => until && andOf(reads.test, until);

function lastIndex(draft: Draft): number {
  const last = draft.steps?.at(-1);
  if (last === undefined) return 0;
  return last.index >= 0 ? last.index : lastIndex(last);
}

function parseTimes(text: string): Quantifier | undefined {
  const form = /^(\d+)(?:(\+)|\s*\.\.\s*(\d+))?$/.exec(text);
  if (form === null) return undefined;
  const [, from, plus, to] = form;
  return { from: Number(from), to: plus ? null : Number(to ?? from) };
}
