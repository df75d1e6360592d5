import type { Rule } from '../../rules/index.js';
import type { DetectorStatus } from '../../runtime/detector.js';
import type { Alert, AlertEvent } from '../../runtime/ports/alert.js';
import type { Role } from '../../runtime/settings/index.js';
import { MASK } from '../logging/redact.js';
import { Problem, problemBody } from '../problems/problem.js';
import type { Principal } from './principal.js';

type Value = string | number | boolean | null;

/** Shorter values would mask half of a sentence. */
const TEXT_MIN = 3;
/** Statistics that say how many there were, or when, and nothing of what was in the field. */
const TELLS_NO_VALUE: ReadonlySet<string> = new Set(['count', 'distinct', 'since']);

/**
 * Hides personal fields of alerts from those who may not see them.
 *
 * P1. The value of a personal field is in nothing of a masked alert: neither in its fields, nor in its message, nor as its key, nor in what conditions
 *     read and features were.
 * P2. The alert that is given is not changed.
 */
export class PersonalMask {
  private readonly names: ReadonlySet<string>;

  /** `names`: of fields, whatever their case. `least`: who sees them. `rules`: that run, which say of what field a feature is. */
  constructor(
    names: Iterable<string>,
    private readonly least: Role,
    private readonly rules: () => readonly Rule[] = () => [],
  ) {
    this.names = new Set([...names].map((name) => name.toLowerCase()));
  }

  /** There is something to hide from them. */
  hidesFrom(principal: Principal): boolean {
    return this.names.size > 0 && !principal.may(this.least);
  }

  /** For what shows fields in ways that cannot be masked. Throws a problem. */
  refuse(principal: Principal): void {
    if (this.hidesFrom(principal))
      throw new Problem(problemBody(403, 'FORBIDDEN', 'This is for those alone who may see personal fields.'));
  }

  of<T extends Alert>(alert: T, principal: Principal): T {
    return this.hidesFrom(principal) ? this.masked(alert) : alert;
  }

  /** The same without the keys at which rules were stopped: it is not known of which field they are. */
  ofStatus<T extends DetectorStatus | null>(status: T, principal: Principal): T {
    if (status === null || !this.hidesFrom(principal)) return status;
    const partitions = status.partitions.map((partition) =>
      partition.quarantined === undefined
        ? partition
        : { ...partition, quarantined: partition.quarantined.map((stopped) => ({ ...stopped, key: MASK })) },
    );
    return { ...status, partitions };
  }

  private masked<T extends Alert>(alert: T): T {
    const hidden = new Set<string>();
    const steps = alert.steps.map((step) => ({
      ...step,
      events: step.events.map((event) => ({ ...event, fields: this.fields(event.fields, hidden) })),
    }));
    // The key's name may be put together of several: a+b, a|b, stream.a,stream.b.
    const personal = this.featuresOf(alert);
    for (const name of personal) {
      const text = String(alert.features?.[name] ?? '');
      if (text.length >= TEXT_MIN) hidden.add(text);
    }
    const isPersonal = alert.keyField.split(/[+|,]/).some((name) => this.has(name.slice(name.lastIndexOf('.') + 1)));
    if (isPersonal) for (const part of [alert.key, ...alert.key.split('/')]) hidden.add(part);
    const clean = (text: string): string => {
      let result = text;
      for (const value of [...hidden].sort((a, b) => b.length - a.length)) result = result.replaceAll(value, MASK);
      return result;
    };
    const features =
      alert.features === undefined
        ? {}
        : {
            features: Object.fromEntries(
              Object.entries(alert.features).map(([name, value]) => [
                name,
                personal.has(name) && value !== null ? MASK : cleaned(value),
              ]),
            ),
          };
    function cleaned(value: string | number | boolean | null) {
      return typeof value === 'string' ? clean(value) : hidden.has(String(value)) ? null : value;
    }
    const withValues = steps.map((step) => ({
      ...step,
      events: step.events.map((event) => this.valuesOf(event, personal, cleaned)),
    }));
    const key = isPersonal ? MASK : hidden.has(alert.key) ? MASK : alert.key;
    return { ...alert, key, message: clean(alert.message), steps: withValues, ...features };
  }

  /**
   * Names of those features, and aggregates, that are values of personal fields. Of a rule that runs no more it is not known: then all that are texts.
   */
  private featuresOf({ patternId, features = {} }: Alert): ReadonlySet<string> {
    const rule = this.rules().find(({ id }) => id === patternId);
    const texts = Object.keys(features).filter((name) => typeof features[name] === 'string');
    if (rule === undefined) return new Set(texts);
    const told = [
      ...(rule.features ?? []).map(({ name, feature }) => ({ name, ...feature })),
      ...(rule.pattern.window?.aggregates ?? []),
    ];
    const known = new Set(told.map(({ name }) => name));
    const isPersonal = ({ fn, field }: { readonly fn: string; readonly field?: string }): boolean =>
      field !== undefined && !TELLS_NO_VALUE.has(fn) && this.has(field);
    const named = told.filter(isPersonal).map(({ name }) => name);
    return new Set([...named, ...texts.filter((name) => !known.has(name))]);
  }

  /** What was computed of a personal field is personal, too: whatever has its name, or that of a feature of it, in how it is written. */
  private valuesOf<E extends AlertEvent>(event: E, features: ReadonlySet<string>, cleaned: (value: Value) => Value): E {
    if (event.values === undefined) return event;
    const values = Object.entries(event.values).map(([name, value]): readonly [string, Value] => {
      const isPersonal = (name.match(/\w+/g) ?? []).some((word) => this.has(word) || features.has(word));
      return [name, isPersonal && value !== null ? MASK : cleaned(value)];
    });
    return { ...event, values: Object.fromEntries(values) };
  }

  private fields(fields: Readonly<Record<string, unknown>>, hidden: Set<string>): Record<string, unknown> {
    const walk = (value: unknown, isPersonal: boolean): unknown => {
      if (Array.isArray(value)) return value.map((item) => walk(item, isPersonal));
      if (typeof value === 'object' && value !== null)
        return Object.fromEntries(
          Object.entries(value).map(([name, item]) => [name, walk(item, isPersonal || this.has(name))]),
        );
      if (!isPersonal || value === null || value === undefined) return value;
      if (String(value).length >= TEXT_MIN) hidden.add(String(value));
      return MASK;
    };
    return walk(fields, false) as Record<string, unknown>;
  }

  private has(name: string): boolean {
    return this.names.has(name.toLowerCase());
  }
}
