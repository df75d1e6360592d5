import type { DetectorStatus } from '../../runtime/detector.js';
import type { Alert, AlertEvent } from '../../runtime/ports/alert.js';
import type { Role } from '../../runtime/settings/index.js';
import { MASK } from '../logging/redact.js';
import { Problem, problemBody } from '../problems/problem.js';
import type { Principal } from './principal.js';

type Value = string | number | boolean | null;

/** Shorter values would mask half of a sentence. */
const TEXT_MIN = 3;

/**
 * Hides personal fields of alerts from those who may not see them.
 *
 * P1. The value of a personal field is in nothing of a masked alert: neither in its fields, nor in its message, nor as its key.
 * P2. The alert that is given is not changed.
 */
export class PersonalMask {
  private readonly names: ReadonlySet<string>;

  /** `names`: of fields, whatever their case. `least`: who sees them. */
  constructor(
    names: Iterable<string>,
    private readonly least: Role,
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
            features: Object.fromEntries(Object.entries(alert.features).map(([name, value]) => [name, cleaned(value)])),
          };
    function cleaned(value: string | number | boolean | null) {
      return typeof value === 'string' ? clean(value) : hidden.has(String(value)) ? null : value;
    }
    const withValues = steps.map((step) => ({
      ...step,
      events: step.events.map((event) => this.valuesOf(event, cleaned)),
    }));
    const key = isPersonal ? MASK : hidden.has(alert.key) ? MASK : alert.key;
    return { ...alert, key, message: clean(alert.message), steps: withValues, ...features };
  }

  /** What was computed of a personal field is personal, too: whatever has its name in how it is written. */
  private valuesOf<E extends AlertEvent>(event: E, cleaned: (value: Value) => Value): E {
    if (event.values === undefined) return event;
    const values = Object.entries(event.values).map(([name, value]): readonly [string, Value] => {
      const isPersonal = (name.match(/\w+/g) ?? []).some((word) => this.has(word));
      return [name, isPersonal ? MASK : cleaned(value)];
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
