import type { Expr } from '../../../engine/index.js';
import { checkCondition } from '../../condition/check-condition.js';
import type { Scope } from '../../condition/scope.js';
import type { Section } from '../../read/yaml-section.js';
import { fromAviator } from './from-aviator.js';
import { sections } from './json-file.js';

/** What a condition of a node comes to. */
export interface ReadCondition {
  /** Absent: every event fits. */
  readonly where?: Expr;
  readonly subtype?: string;
}

/** Conditions to put in the place of Java classes, by the name of the class. */
export type ClassConditions = ReadonlyMap<string, string>;

export const CONDITION_KEYS = [
  'type',
  'expression',
  'className',
  'subClassName',
  'nestedConditions',
  'args',
  'filterField',
];
const TYPES = ['AVIATOR', 'CLASS', 'GROOVY', 'CUSTOM_ARGS', 'EXPRESSION'] as const;
const NESTING = {
  RichAndCondition: 'and',
  RichOrCondition: 'or',
  RichNotCondition: 'not',
} as const;

/** Reads the conditions of nodes. What cannot be a condition here is reported by its name, and reads as `null`. */
export class ConditionReader {
  constructor(private readonly classes: ClassConditions) {}

  read(section: Section, scope: Scope): ReadCondition | null {
    const type = section.choice('type', TYPES);
    if (section.entry('type') === undefined) section.missing('type', `Write one of ${TYPES.join(', ')}.`);
    if (type === 'AVIATOR') return this.aviator(section, scope);
    if (type === 'CLASS') return this.ofClass(section, scope);
    if (type === 'GROOVY' || type === 'EXPRESSION')
      this.refuse(section, 'type', `A condition of type ${type}`, 'Write it as AVIATOR.');
    else if (type === 'CUSTOM_ARGS') return this.custom(section, scope);
    return null;
  }

  private aviator(section: Section, scope: Scope): ReadCondition | null {
    const filter = section.entry('filterField');
    if (filter !== undefined) this.refuse(section, 'filterField', 'A filterField', 'Write it into the expression.');
    if (section.entry('expression') === undefined) section.missing('expression', 'Add "expression".');
    const text = section.scalarText('expression', 'a text');
    const where = text === undefined ? null : fromAviator(text.text, scope, text);
    if (where === null || filter !== undefined) return null;
    return isTrue(where) ? {} : { where };
  }

  private ofClass(section: Section, scope: Scope): ReadCondition | null {
    const name = section.text('className', 'the name of a class');
    if (name === undefined) {
      if (section.entry('className') === undefined) section.missing('className', 'Add "className".');
      return null;
    }
    const simple = simpleName(name);
    if (simple in NESTING) return this.nested(section, NESTING[simple as keyof typeof NESTING], scope);
    if (simple === 'SubtypeCondition') return this.subtype(section, scope);
    if (simple === 'TrueFunction') return {};
    return this.custom(section, scope);
  }

  private subtype(section: Section, { schema }: Scope): ReadCondition | null {
    const full = section.text('subClassName', 'the name of a class');
    if (full === undefined) {
      if (section.entry('subClassName') === undefined) section.missing('subClassName', 'Add "subClassName".');
      return null;
    }
    const kinds = schema?.kinds ?? null;
    const subtype = kinds?.has(full) ? full : simpleName(full);
    if (kinds === null || kinds.has(subtype)) return { subtype };
    const hint = `The stream has ${[...kinds].join(', ')}.`;
    section.source.error('unknown-kind', section.entry('subClassName')!.span, `There is no kind ${subtype}.`, hint);
    return null;
  }

  /** A class of someone's own: what it says has to be told. */
  private custom(section: Section, scope: Scope): ReadCondition | null {
    const entry = section.entry('className');
    const name = section.text('className', 'the name of a class');
    if (entry === undefined || name === undefined) return null;
    const cel = this.classes.get(name);
    if (cel === undefined) {
      const hint = `Say what it means: --class '${name}=amount > 10'.`;
      this.refuse(section, 'className', `What the class ${name} asks`, hint);
      return null;
    }
    const { source } = section;
    const say = (message: string): string => `In the condition given for ${name}: ${message}`;
    const where = checkCondition(cel, scope, {
      error: (code, _, message, hint) => source.error(code, entry.span, say(message), hint),
      warning: (code, _, message, hint) => source.warning(code, entry.span, say(message), hint),
    });
    return where && { where };
  }

  private nested(section: Section, how: 'and' | 'or' | 'not', scope: Scope): ReadCondition | null {
    const parts = sections(section, 'nestedConditions', 'A condition', CONDITION_KEYS);
    if (parts === null) return null;
    const read = parts.map((part) => this.read(part, scope));
    const known = read.filter((part) => part !== null);
    if (known.length < read.length) return null;
    const [first] = known;
    if (first === undefined || (how === 'not' && known.length > 1)) {
      const hint = how === 'not' ? 'RichNotCondition has one.' : 'Add them, or leave the condition out.';
      section.source.error('bad-value', section.entry('nestedConditions')!.span, 'How many conditions?', hint);
      return null;
    }
    return how === 'and' ? this.all(section, known) : this.other(section, how, known);
  }

  private all(section: Section, parts: readonly ReadCondition[]): ReadCondition | null {
    const subtypes = [...new Set(parts.flatMap(({ subtype }) => subtype ?? []))];
    if (subtypes.length > 1) {
      this.refuse(section, 'nestedConditions', 'Several subtypes of one event', 'Leave one of them.');
      return null;
    }
    const args = parts.flatMap(({ where }) => (where === undefined ? [] : where.op === 'and' ? where.args : [where]));
    const [subtype] = subtypes;
    return {
      ...(subtype === undefined ? {} : { subtype }),
      ...(args.length === 0 ? {} : { where: args.length === 1 ? args[0]! : { op: 'and', args } }),
    };
  }

  private other(section: Section, how: 'or' | 'not', parts: readonly ReadCondition[]): ReadCondition | null {
    if (parts.some(({ subtype }) => subtype !== undefined)) {
      const hint = 'Write a condition on the field that holds the type.';
      this.refuse(section, 'nestedConditions', `A SubtypeCondition inside of "${how}"`, hint);
      return null;
    }
    const args = parts.map(({ where }): Expr => where ?? { op: 'const', value: true });
    if (how === 'not') return { where: { op: 'not', arg: args[0]! } };
    if (args.some(isTrue)) return {};
    return { where: args.length === 1 ? args[0]! : { op: 'or', args } };
  }

  private refuse(section: Section, key: string, what: string, hint: string): void {
    const { span } = section.entry(key)!;
    section.source.error('not-expressible', span, `${what} cannot be expressed here.`, hint);
  }
}

const isTrue = (expr: Expr): boolean => expr.op === 'const' && expr.value === true;

/** `com.acme.Rules$Large` is `Large`. */
const simpleName = (name: string): string => /[^.$]*$/.exec(name)![0];
