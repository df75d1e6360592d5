import type { EventStep, Expr, Pattern, Skip, Step } from '../../../engine/index.js';
import type { Rule } from '../../rule.js';
import type { EventSchema } from '../../schema.js';
import { NotExpressible } from '../not-expressible.js';
import { toAviator } from './to-aviator.js';

export interface FlinkJsonOptions {
  /** What is known of the events; `null`: nothing, so that any field may have no value. */
  readonly schema: EventSchema | null;
  /** Package of the classes that kinds of events are in Flink. Absent: none. */
  readonly javaPackage?: string;
}

const EDGE = {
  ...{ start: 'STRICT', next: 'STRICT', followedBy: 'SKIP_TILL_NEXT', followedByAny: 'SKIP_TILL_ANY' },
  ...{ notNext: 'NOT_NEXT', notFollowedBy: 'NOT_FOLLOW' },
} as const;
const INSIDE = { relaxed: 'SKIP_TILL_NEXT', consecutive: 'STRICT', combinations: 'SKIP_TILL_ANY' } as const;
const SKIPS = {
  ...{ noSkip: 'NO_SKIP', toNext: 'SKIP_TO_NEXT', pastLastEvent: 'SKIP_PAST_LAST_EVENT' },
  ...{ toFirst: 'SKIP_TO_FIRST', toLast: 'SKIP_TO_LAST' },
} as const;
const CONDITIONS = 'org.apache.flink.cep.pattern.conditions';

/** The field or fields that a Flink job has to key its events by, to find the same matches with a graph. Throws `NotExpressible`. */
export function flinkKey({ keyBy }: Rule): readonly string[] {
  if (keyBy.form === 'one') return [keyBy.field];
  if (keyBy.form === 'pair') return keyBy.fields;
  throw new NotExpressible('the key is that of each of several fields, or of several streams');
}

/**
 * The rule's pattern as a graph of Flink's dynamic CEP, which finds the same matches in a job that is keyed by `flinkKey`.
 *
 * @throws NotExpressible with what of the rule such graphs do not have.
 */
export function toFlinkJson(rule: Rule, options: FlinkJsonOptions): object {
  flinkKey(rule);
  if (rule.streams.length > 1)
    throw new NotExpressible('it reads several streams, and a graph sees one kind of events');
  if (rule.pattern.window !== undefined) throw new NotExpressible('a window that emits is no pattern');
  return new GraphWriter(rule.pattern, options).graph(rule.id);
}

class GraphWriter {
  private groups = 0;
  private readonly names: ReadonlySet<string>;

  constructor(
    private readonly pattern: Pattern,
    private readonly options: FlinkJsonOptions,
  ) {
    this.names = new Set(namesOf(pattern.steps));
  }

  graph(id: string): object {
    const { steps } = this.pattern;
    return {
      name: this.names.has(id) ? `${id}-pattern` : id,
      quantifier: quantifierOf(null, null),
      condition: null,
      ...this.chain(steps, true),
      window: this.window(),
      afterMatchStrategy: this.skip(),
      type: 'COMPOSITE',
      version: 1,
    };
  }

  private chain(steps: readonly Step[], outer: boolean): object {
    const nodes = steps.map((step, i) => this.node(step, outer && i === steps.length - 1));
    const edges = steps.slice(1).map(({ contiguity }, i) => ({
      source: nodes[i]!.name,
      target: nodes[i + 1]!.name,
      type: EDGE[contiguity],
    }));
    return { nodes, edges };
  }

  private node(step: Step, isLast: boolean): { readonly name: string } {
    const what = step.kind === 'event' ? step.name : 'a group';
    if (step.gapMs !== undefined && (!isLast || step.quantifier !== undefined))
      throw new NotExpressible(`${what}: a longest gap before a step that is not the last`);
    const until = step.until === undefined ? null : this.condition(step.until, `${what}: until`);
    const quantifier = quantifierOf(step, until);
    if (step.kind === 'event') {
      return { name: step.name, quantifier, condition: this.where(step), ...{ type: 'ATOMIC' } } as { name: string };
    }
    const inner = { window: null, afterMatchStrategy: this.skip(), type: 'COMPOSITE', version: 1 };
    return {
      name: this.groupName(),
      quantifier,
      ...{ condition: null },
      ...this.chain(step.steps, false),
      ...inner,
    } as {
      name: string;
    };
  }

  private groupName(): string {
    let name: string;
    do name = `group_${++this.groups}`;
    while (this.names.has(name));
    return name;
  }

  private where({ name, where, subtype }: EventStep): object | null {
    const asked = where === undefined ? null : this.condition(where, name);
    if (subtype === undefined) return asked;
    const { javaPackage } = this.options;
    const subClassName = javaPackage === undefined ? subtype : `${javaPackage}.${subtype}`;
    const ofKind = { type: 'CLASS', className: `${CONDITIONS}.SubtypeCondition`, subClassName };
    if (asked === null) return ofKind;
    return { type: 'CLASS', className: `${CONDITIONS}.RichAndCondition`, nestedConditions: [ofKind, asked] };
  }

  private condition(expr: Expr | { readonly op: 'function' }, what: string): object {
    if (expr.op === 'function') throw new NotExpressible(`${what}: a condition that is a function`);
    const { schema } = this.options;
    const maybeMissing = (field: string): boolean => schema?.fields.get(field)?.optional !== false;
    try {
      return { type: 'AVIATOR', expression: toAviator(expr as Expr, maybeMissing) };
    } catch (error) {
      if (error instanceof NotExpressible) throw new NotExpressible(`${what}: ${error.message}`);
      throw error;
    }
  }

  private window(): object | null {
    const { steps, withinMs, gapMs } = this.pattern;
    const last = steps.at(-1)?.gapMs ?? gapMs;
    const own = steps.map((step) => step.withinMs);
    const all = [withinMs, ...own].filter((ms) => ms !== undefined && ms > 0) as number[];
    if (last !== undefined && last > 0) {
      if (all.length > 0) throw new NotExpressible('within beside a gap: a graph has one window');
      return { type: 'PREVIOUS_AND_CURRENT', time: time(last) };
    }
    return all.length === 0 ? null : { type: 'FIRST_AND_LAST', time: time(Math.min(...all)) };
  }

  private skip(): object {
    const skip: Skip = this.pattern.skip ?? { strategy: 'noSkip' };
    if ('step' in skip && skip.onMiss === 'error') throw new NotExpressible('skip with onMiss: error');
    return { type: SKIPS[skip.strategy], patternName: 'step' in skip ? skip.step : null };
  }
}

function quantifierOf(step: Step | null, untilCondition: object | null): object {
  const { quantifier, optional, greedy, inside } = step ?? {};
  const repeats =
    quantifier !== undefined && (quantifier.to === null || quantifier.to > 1 || quantifier.gapMs !== undefined);
  const isOptional = optional === true || quantifier?.from === 0;
  const properties = [
    repeats ? (quantifier.to === null ? 'LOOPING' : 'TIMES') : 'SINGLE',
    ...(isOptional ? ['OPTIONAL'] : []),
    ...(greedy === true ? ['GREEDY'] : []),
  ];
  return {
    consumingStrategy: INSIDE[inside ?? 'relaxed'],
    properties,
    times: repeats ? timesOf(quantifier) : null,
    untilCondition,
  };
}

/** Of a loop, Flink reads `from` alone. */
function timesOf({ from, to, gapMs }: NonNullable<Step['quantifier']>): object {
  const least = Math.max(1, from);
  return { from: least, to: to ?? least, windowTime: gapMs === undefined ? null : time(gapMs) };
}

function time(ms: number): object {
  for (const [unit, size] of [
    ['DAYS', 86_400_000],
    ['HOURS', 3_600_000],
    ['MINUTES', 60_000],
    ['SECONDS', 1000],
  ] as const) {
    if (ms % size === 0) return { unit, size: ms / size };
  }
  return { unit: 'MILLISECONDS', size: ms };
}

function namesOf(steps: readonly Step[]): readonly string[] {
  return steps.flatMap((step) => (step.kind === 'event' ? step.name : namesOf(step.steps)));
}
