import type { Feature } from '../../engine/index.js';
import type { KnownLists } from '../known-lists.js';
import type { OtherKey } from '../rule.js';
import type { EventField, EventSchema } from '../schema.js';
import type { ValueType } from './typed.js';

/** What a condition or a message may say of one step of its pattern. */
export interface StepInfo {
  readonly name: string;
  /** A step that only forbids (`notNext`, `notFollowedBy`): it never holds events. */
  readonly negated: boolean;
  /** May hold more than one event: it is quantified, or inside a group that is. */
  readonly repeats: boolean;
  /** What is known of the events that the step takes. Absent: the same as of the event under test. */
  readonly schema?: EventSchema | null;
}

export interface KnownFeature {
  readonly feature: Feature;
  /** What its value is. */
  readonly type: ValueType;
  readonly symbols?: readonly string[];
  /** Absent: it is of the rule's own key. */
  readonly other?: Pick<OtherKey, 'keyBy' | 'streams'>;
}

/** The features that a rule has given names to. */
export interface FeatureNames {
  /** `null`: there is such a feature, but with a mistake that is reported where it stands. */
  readonly known: ReadonlyMap<string, KnownFeature | null>;
  /** Where the names of those that are read are put. */
  readonly used: Set<string>;
}

/** The reference lists that a rule may ask. */
export interface ListNames {
  /** `null`: nothing is known of them, so that any may be asked. */
  readonly known: KnownLists | null;
  /** Where the names of those that are asked are put. */
  readonly used: Set<string>;
}

/** What a condition can see. */
export interface Scope {
  /** Of the event under test. `null`: nothing is known, so every field is taken to be there, of unknown type. */
  readonly schema: EventSchema | null;
  /** All steps of the pattern in order, those inside groups included. */
  readonly steps: readonly StepInfo[];
  /** Index in `steps` of the step that the condition belongs to; -1: it is a feature's, which sees the event alone. */
  readonly self: number;
  /** Absent: there are none. */
  readonly features?: FeatureNames;
  /** It speaks of what came out of a window: no event is there, whose features of other keys could be meant. */
  readonly isOfResult?: boolean;
  /** Absent: any list may be asked. */
  readonly lists?: ListNames;
  /** Where the names of the fields that are read are put. */
  readonly fields: Set<string>;
}

/** What all conditions of a rule have in common. */
export type RuleScope = Pick<Scope, 'fields' | 'features' | 'lists'>;

/** `null`: the schema is known, and has no such field. */
export function fieldOf(scope: Pick<Scope, 'schema'>, name: string): EventField | 'unknown' | null {
  if (scope.schema === null) return 'unknown';
  return scope.schema.fields.get(name) ?? null;
}

export const META_NAMES = ['time', 'kind'] as const;
export type MetaName = (typeof META_NAMES)[number];

/** `time` and `kind` speak of the event itself, unless the schema has fields of these names. */
export function isMeta(scope: Pick<Scope, 'schema'>, name: string): name is MetaName {
  return (META_NAMES as readonly string[]).includes(name) && !scope.schema?.fields.has(name);
}

/** Whether `key` speaks of what the event is counted for, and not of a field. */
export const isKey = (scope: Pick<Scope, 'schema'>, name: string): boolean =>
  name === 'key' && !scope.schema?.fields.has(name);

/** What is known of the events of a step. */
export function ofStep({ schema, steps }: Pick<Scope, 'schema' | 'steps'>, name: string): Pick<Scope, 'schema'> {
  const own = steps.find((step) => step.name === name)?.schema;
  return { schema: own === undefined ? schema : own };
}

export function fieldNames(scope: Pick<Scope, 'schema'>): Iterable<string> {
  return scope.schema?.fields.keys() ?? [];
}
