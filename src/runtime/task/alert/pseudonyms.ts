import { createHmac } from 'node:crypto';
import type { Expr, Feature } from '../../../engine/index.js';
import { operandsOf } from '../../../rules/explain/operands.js';
import type { MessagePart, Rule } from '../../../rules/rule.js';

const PREFIX = 'psn_';
const DIGEST_CHARS = 22;

/** These say how many there were, or when, and nothing of what was in the field. */
const TELLS_NO_VALUE: ReadonlySet<string> = new Set(['count', 'distinct', 'since']);

/** What of a rule's alerts is personal. */
interface PersonalParts {
  readonly key: boolean;
  /** By the place in the rule's `values`. */
  readonly values: readonly boolean[];
  /** Names of features. */
  readonly features: ReadonlySet<string>;
}

/**
 * Puts pseudonyms in the place of personal values of alerts: an HMAC-SHA-256 of the value as text, with a key that is kept secret, 132 bits of it.
 *
 * P1. One value has one pseudonym, in whatever field, rule or process, for as long as the key is the same: alerts of one account stay alerts of
 *     one account, and a replay makes the same alert.
 * P2. Without the secret it cannot be found out which value it was, also not by trying: the id of an alert, which was made of its key, is made anew.
 */
export class Pseudonyms {
  private readonly names: ReadonlySet<string>;
  private readonly parts = new WeakMap<Rule, PersonalParts>();
  private readonly read = new WeakMap<Rule, ReadonlySet<string>>();

  /** `names`: of personal fields, whatever their case. */
  constructor(
    private readonly secret: string,
    names: Iterable<string>,
  ) {
    this.names = new Set([...names].map((name) => name.toLowerCase()));
  }

  /** The pseudonym of a value. */
  readonly of = (value: unknown): string =>
    `${PREFIX}${this.mac('value', String(value)).toString('base64url').slice(0, DIGEST_CHARS)}`;

  /** An id that was made of a personal value. 32 hex digits, as it was. */
  id(id: string): string {
    return this.mac('id', id).toString('hex').slice(0, 32);
  }

  isPersonal(field: string | null | undefined): boolean {
    return typeof field === 'string' && this.names.has(field.toLowerCase());
  }

  /** A copy of the fields of an event. What is inside a personal field is personal. */
  fields(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
    return Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [name, this.walk(value, this.isPersonal(name))]),
    );
  }

  /** The key of a rule's alerts. That of several fields is one value. */
  key(rule: Rule, key: string): string {
    return this.isKeyPersonal(rule) ? this.of(key) : key;
  }

  /** Whether alerts of the rule have a pseudonym as their key. */
  isKeyPersonal(rule: Rule): boolean {
    return this.partsOf(rule).key;
  }

  features<T extends string | number | boolean | null>(
    rule: Rule,
    features: Readonly<Record<string, T>>,
  ): Readonly<Record<string, T | string>> {
    return this.without(this.partsOf(rule).features, features);
  }

  /** What the condition of a step read at an event. */
  operands<T extends string | number | boolean | null>(
    rule: Rule,
    values: Readonly<Record<string, T>>,
  ): Readonly<Record<string, T | string>> {
    return this.without(this.operandsOf(rule), values);
  }

  private without<T extends string | number | boolean | null>(
    personal: ReadonlySet<string>,
    values: Readonly<Record<string, T>>,
  ): Readonly<Record<string, T | string>> {
    return Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        personal.has(name) && value !== null && typeof value !== 'boolean' ? this.of(value) : value,
      ]),
    );
  }

  /** What a part of a rule's message shows in place of the value. */
  shown(rule: Rule, part: MessagePart, value: unknown): unknown {
    const isKept = value === undefined || value === null || typeof value === 'boolean';
    return isKept || !this.isPartPersonal(rule, part) ? value : this.of(value);
  }

  private isPartPersonal(rule: Rule, part: MessagePart): boolean {
    switch (part.kind) {
      case 'key':
        return this.partsOf(rule).key;
      case 'field':
        return this.isPersonal(part.field);
      case 'aggregate':
        return part.fn !== 'count' && this.isPersonal(part.field);
      case 'value':
        return this.partsOf(rule).values[part.index] === true;
      default:
        return false;
    }
  }

  private partsOf(rule: Rule): PersonalParts {
    const known = this.parts.get(rule);
    if (known !== undefined) return known;
    const key = keyFieldsOf(rule).some((field) => this.isPersonal(field));
    const ofWindow = (rule.pattern.window?.aggregates ?? []).filter((aggregate) => this.tells(aggregate));
    const results = new Set(ofWindow.map(({ name }) => name));
    const parts: PersonalParts = {
      key,
      values: (rule.values ?? []).map((expr) => this.gives(expr, key, results)),
      features: new Set((rule.features ?? []).flatMap(({ name, feature }) => (this.tells(feature) ? name : []))),
    };
    this.parts.set(rule, parts);
    return parts;
  }

  /** What of that which conditions of steps read is personal, by how it is written there. */
  private operandsOf(rule: Rule): ReadonlySet<string> {
    let known = this.read.get(rule);
    if (known === undefined) {
      const operands = [...operandsOf(rule).values()].flat();
      const personal = operands.filter(({ expr }) => this.gives(expr, this.isKeyPersonal(rule), new Set()));
      known = new Set(personal.map(({ name }) => name));
      this.read.set(rule, known);
    }
    return known;
  }

  private tells({ fn, field }: Pick<Feature, 'fn' | 'field'>): boolean {
    return !TELLS_NO_VALUE.has(fn) && this.isPersonal(field);
  }

  /** Whether a personal value, or what was computed of one, can be the value of the expression. What is true or not of one gives nothing away. */
  private gives(expr: Expr, isKeyPersonal: boolean, results: ReadonlySet<string>): boolean {
    const inside = (...parts: readonly Expr[]): boolean =>
      parts.some((part) => this.gives(part, isKeyPersonal, results));
    switch (expr.op) {
      case 'field':
        return results.has(expr.name) || this.isPersonal(expr.name);
      case 'meta':
        return expr.name === 'key' && isKeyPersonal;
      case 'aggregate':
        return !TELLS_NO_VALUE.has(expr.fn) && this.isPersonal(expr.field);
      case 'nth':
        return this.isPersonal(expr.field);
      case 'feature':
        return this.tells(expr.feature);
      case 'arith':
        return inside(expr.left, expr.right);
      case 'if':
        return inside(expr.whenTrue, expr.whenFalse);
      case 'call':
        return inside(...expr.args);
      default:
        return false;
    }
  }

  private walk(value: unknown, isPersonal: boolean): unknown {
    if (Array.isArray(value)) return value.map((item) => this.walk(item, isPersonal));
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(
        Object.entries(value).map(([name, item]) => [name, this.walk(item, isPersonal || this.isPersonal(name))]),
      );
    return isPersonal && value !== null && value !== undefined ? this.of(value) : value;
  }

  private mac(use: 'value' | 'id', text: string): Buffer {
    return createHmac('sha256', this.secret).update(`${use}:${text}`).digest();
  }
}

function keyFieldsOf({ keyBy }: Rule): readonly string[] {
  switch (keyBy.form) {
    case 'one':
      return [keyBy.field];
    case 'pair':
    case 'each':
      return keyBy.fields;
    case 'by':
      return Object.values(keyBy.streams);
  }
}

/** Whether a text is a pseudonym already. */
export const isPseudonym = (text: string): boolean =>
  text.length === PREFIX.length + DIGEST_CHARS && text.startsWith(PREFIX);
