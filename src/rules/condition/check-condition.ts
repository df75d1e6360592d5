import type { CompareOp, Expr, Scalar } from '../../engine/index.js';
import { judgeCondition } from '../logic/judge.js';
import { nearestName, suggest } from '../source/nearest.js';
import type { Reporter, Span } from '../source/source-file.js';
import { checkCall, checkMethod } from './calls.js';
import { type CelNode, flatten, parseCel } from './cel.js';
import type { Checking } from './checking.js';
import { checkMember, isListCall } from './lists.js';
import { EVENT_ALONE, References } from './references.js';
import { fieldNames, fieldOf, isKey, isMeta, ofStep, type Scope } from './scope.js';
import { type Checked, fits, say, type Typed, typed } from './typed.js';

/**
 * A condition from its text: the tree that the engine takes, or `null` when anything is wrong. All that is wrong is
 * reported at its place in the text; after a mistake in one part, the others are still checked.
 */
export function checkCondition(text: string, scope: Scope, reporter: Reporter): Expr | null {
  const node = parseCel(text, reporter);
  if (node === null) return null;
  const checker = new Checker(scope, reporter);
  const expr = checker.truth(node)?.expr ?? null;
  if (expr === null) return null;
  const schemaOf = (step?: string) => (step === undefined ? scope.schema : ofStep(scope, step).schema);
  judgeCondition(expr, text, (part) => checker.places.get(part), schemaOf, reporter);
  return expr;
}

export class Checker implements Checking {
  readonly references: References;
  /** Where in the text the expressions stand that are true or false. */
  readonly places = new Map<Expr, Span>();

  constructor(
    readonly scope: Scope,
    readonly reporter: Reporter,
  ) {
    this.references = new References(scope, reporter);
  }

  /** An expression that is true or false. */
  truth(node: CelNode): Checked {
    const value = this.value(node);
    if (value !== null) this.places.set(value.expr, node.range);
    if (value === null || fits(value.type, 'boolean')) return value;
    const hint = value.type === 'other' ? undefined : 'Compare it with something, for example with ==.';
    this.reporter.error('not-a-condition', node.range, `This is ${say(value.type)}, not true or false.`, hint);
    return null;
  }

  value(node: CelNode): Checked {
    switch (node.op) {
      case 'value':
        return this.literal(node);
      case 'id':
        return this.name(node);
      case '.':
        return this.references.access(node);
      case 'call':
        return checkCall(this, node);
      case 'rcall':
        return checkMethod(this, node);
      case '&&':
      case '||':
        return this.junction(node);
      case '!_':
        return this.not(node);
      case '-_':
        return this.minus(node);
      case '?:':
        return this.choice(node);
      case '==':
      case '!=':
      case '<':
      case '<=':
      case '>':
      case '>=':
        return this.comparison(node.op, node.args[0], node.args[1]);
      case 'in':
        return this.oneOf(node.args[0], node.args[1]);
      case '+':
      case '-':
      case '*':
      case '/':
      case '%':
        return this.arithmetic(node.op, node.args[0], node.args[1]);
      default:
        return this.unsupported(node);
    }
  }

  expect(value: Typed, wanted: 'number' | 'string' | 'boolean', node: CelNode, what: string): boolean {
    if (fits(value.type, wanted)) return true;
    this.reporter.error('type-mismatch', node.range, `${what} ${say(wanted)}, and this is ${say(value.type)}.`);
    return false;
  }

  private literal(node: Extract<CelNode, { op: 'value' }>): Checked {
    const value = node.args;
    if (typeof value === 'boolean') return typed({ op: 'const', value }, 'boolean');
    if (typeof value === 'string') return typed({ op: 'const', value }, 'string');
    if (typeof value === 'number' || typeof value === 'bigint') {
      if (typeof value === 'bigint' && !Number.isSafeInteger(Number(value))) {
        this.reporter.error('number-too-large', node.range, 'A number holds whole values exactly up to 2^53 only.');
        return null;
      }
      return typed({ op: 'const', value: Number(value) }, 'number');
    }
    if (value === null) {
      const hint = 'Write field == null or field != null to ask whether a value is there.';
      this.reporter.error('unsupported', node.range, 'null can only be compared by == and !=.', hint);
      return null;
    }
    const hint = 'Write 5 instead of 5u, and text without b in front.';
    this.reporter.error('unsupported', node.range, 'Unsigned numbers and bytes cannot be used here.', hint);
    return null;
  }

  private name(node: Extract<CelNode, { op: 'id' }>): Checked {
    const name = node.args;
    if (this.scope.features?.known.has(name)) return this.feature(node);
    const isStep = this.scope.steps.some((step) => step.name === name);
    if (isMeta(this.scope, name) && !isStep) return typed({ op: 'meta', name }, name === 'time' ? 'number' : 'string');
    if (isKey(this.scope, name)) return typed({ op: 'meta', name: 'key' }, 'string');
    const field = fieldOf(this.scope, name);
    if (isStep && (field === null || field === 'unknown')) {
      const hint = `Write ${name}.field for a field of its last event, or count(${name}).`;
      this.reporter.error('step-without-field', node.range, `${name} is a step, not a value.`, hint);
      return null;
    }
    if (field === null) {
      const known = [...fieldNames(this.scope), ...this.featureNames()];
      const near = nearestName(name, known) !== undefined;
      const hint = `${near ? '' : `Put it in quotes if it is text: '${name}'. `}${suggest(name, known)}`;
      this.reporter.error('unknown-field', node.range, `There is no field ${name}.`, hint);
      return null;
    }
    this.scope.fields.add(name);
    if (field === 'unknown') return typed({ op: 'field', name }, 'unknown');
    return typed({ op: 'field', name }, field.type, field.symbols);
  }

  private feature(node: Extract<CelNode, { op: 'id' }>): Checked {
    const { known, used } = this.scope.features!;
    used.add(node.args);
    if (this.scope.self < 0) {
      this.reporter.error('not-in-feature', node.range, EVENT_ALONE, `Leave ${node.args} out: it is a feature.`);
      return null;
    }
    const found = known.get(node.args) ?? null;
    if (found?.other !== undefined && this.scope.isOfResult === true) {
      const message = `${node.args} is a feature of another key: at the end of a window there is no event to have it.`;
      const hint = 'Ask for it where the window says which events count.';
      this.reporter.error('no-event-for-feature', node.range, message, hint);
      return null;
    }
    return found && typed({ op: 'feature', feature: found.feature }, found.type, found.symbols);
  }

  private featureNames(): Iterable<string> {
    return this.scope.self < 0 ? [] : (this.scope.features?.known.keys() ?? []);
  }

  private junction(node: Extract<CelNode, { op: '&&' | '||' }>): Checked {
    const args = flatten(node, node.op).map((arg) => this.truth(arg));
    const known = args.filter((arg) => arg !== null);
    if (known.length < args.length) return null;
    return typed({ op: node.op === '&&' ? 'and' : 'or', args: known.map((arg) => arg.expr) }, 'boolean');
  }

  private not(node: Extract<CelNode, { op: '!_' }>): Checked {
    const arg = this.truth(node.args);
    return arg && typed({ op: 'not', arg: arg.expr }, 'boolean');
  }

  private minus(node: Extract<CelNode, { op: '-_' }>): Checked {
    const arg = this.value(node.args);
    if (arg === null || !this.expect(arg, 'number', node.args, '- takes')) return null;
    if (arg.expr.op === 'const') return typed({ op: 'const', value: -(arg.expr.value as number) }, 'number');
    return typed({ op: 'arith', fn: '-', left: { op: 'const', value: 0 }, right: arg.expr }, 'number');
  }

  private choice(node: Extract<CelNode, { op: '?:' }>): Checked {
    const test = this.truth(node.args[0]);
    const then = this.value(node.args[1]);
    const otherwise = this.value(node.args[2]);
    if (test === null || then === null || otherwise === null) return null;
    if (then.type !== otherwise.type && then.type !== 'unknown' && otherwise.type !== 'unknown') {
      const message = `The two branches differ: ${say(then.type)} and ${say(otherwise.type)}.`;
      this.reporter.error('type-mismatch', node.range, message);
      return null;
    }
    const expr: Expr = { op: 'if', test: test.expr, whenTrue: then.expr, whenFalse: otherwise.expr };
    return typed(expr, then.type === 'unknown' ? otherwise.type : then.type);
  }

  private comparison(cmp: CompareOp, leftNode: CelNode, rightNode: CelNode): Checked {
    if (isNull(leftNode) || isNull(rightNode)) return this.absence(cmp, leftNode, rightNode);
    const left = this.value(leftNode);
    const right = this.value(rightNode);
    if (left === null || right === null) return null;
    const [a, b] = cmp === '==' || cmp === '!=' ? besideKey(left, right) : [left, right];
    if (!this.comparable(cmp, a, b, leftNode, rightNode)) return null;
    return typed({ op: 'compare', cmp, left: a.expr, right: b.expr }, 'boolean');
  }

  private comparable(cmp: CompareOp, left: Typed, right: Typed, leftNode: CelNode, rightNode: CelNode): boolean {
    const span = { start: leftNode.start, end: rightNode.end };
    const types = [left.type, right.type];
    if (types.includes('other')) {
      this.reporter.error(
        'type-mismatch',
        span,
        'A record or list cannot be compared.',
        'Only == null and != null can be asked of it.',
      );
      return false;
    }
    if (left.type !== right.type && !types.includes('unknown')) {
      const message = `${cmp} cannot compare ${say(left.type)} with ${say(right.type)}.`;
      this.reporter.error('type-mismatch', span, message, typeHint(left, right));
      return false;
    }
    if (types.includes('boolean') && cmp !== '==' && cmp !== '!=') {
      this.reporter.error('type-mismatch', span, `True and false have no order: ${cmp} cannot compare them.`);
      return false;
    }
    return this.symbolFits(left, right, rightNode) && this.symbolFits(right, left, leftNode);
  }

  /** An enum field can only equal its own symbols. */
  private symbolFits(field: Typed, value: Typed, valueNode: CelNode): boolean {
    if (field.symbols === undefined || value.expr.op !== 'const') return true;
    const symbol = String(value.expr.value);
    if (field.symbols.includes(symbol)) return true;
    const message = `The field is never '${symbol}'.`;
    this.reporter.error('unknown-symbol', valueNode.range, message, suggest(symbol, field.symbols));
    return false;
  }

  private absence(cmp: CompareOp, leftNode: CelNode, rightNode: CelNode): Checked {
    const node = isNull(leftNode) ? rightNode : leftNode;
    const span = { start: leftNode.start, end: rightNode.end };
    if (isNull(node) || (cmp !== '==' && cmp !== '!=')) {
      const hint = 'Write field == null or field != null to ask whether a value is there.';
      this.reporter.error('unsupported', span, 'null can only be compared with a value, by == and !=.', hint);
      return null;
    }
    const value = this.value(node);
    if (value === null) return null;
    const present: Expr = { op: 'present', arg: value.expr };
    return typed(cmp === '!=' ? present : { op: 'not', arg: present }, 'boolean');
  }

  private oneOf(leftNode: CelNode, listNode: CelNode): Checked {
    const left = this.value(leftNode);
    if (isListCall(listNode)) return checkMember(this, left, leftNode, listNode);
    if (listNode.op !== 'list') {
      const hint = "Write field in ['A', 'B'], or field in list('name').";
      this.reporter.error('unsupported', listNode.range, 'in takes constants in brackets, or a list.', hint);
      return null;
    }
    const values: Scalar[] = [];
    for (const item of listNode.args) {
      const value = this.value(item);
      if (value === null) continue;
      if (value.expr.op !== 'const') {
        this.reporter.error(
          'unsupported',
          item.range,
          'A list holds constants only.',
          'Write a == b || a == c instead.',
        );
      } else if (left === null || this.comparable('==', left, value, leftNode, item)) {
        values.push(value.expr.value);
      }
    }
    if (listNode.args.length === 0) {
      this.reporter.warning('always-false', listNode.range, 'Nothing is in an empty list.');
    }
    if (left === null || values.length < listNode.args.length) return null;
    return typed({ op: 'in', left: left.expr, values }, 'boolean');
  }

  private arithmetic(fn: '+' | '-' | '*' | '/' | '%', leftNode: CelNode, rightNode: CelNode): Checked {
    const left = this.value(leftNode);
    const right = this.value(rightNode);
    const leftFits = left !== null && this.expect(left, 'number', leftNode, `${fn} takes`);
    const rightFits = right !== null && this.expect(right, 'number', rightNode, `${fn} takes`);
    if (!leftFits || !rightFits) return null;
    return typed({ op: 'arith', fn, left: left.expr, right: right.expr }, 'number');
  }

  private unsupported(node: CelNode): null {
    if (node.op === 'list') {
      this.reporter.error('unsupported', node.range, 'A list can only stand to the right of in.');
    } else if (node.op === '[]') {
      const hint = 'Write step[0].field.';
      this.reporter.error('step-without-field', node.range, 'An event of a step is not a value: name a field.', hint);
    } else {
      this.reporter.error('unsupported', node.range, 'Maps and optional access are not part of conditions.');
    }
    return null;
  }
}

const isNull = (node: CelNode): boolean => node.op === 'value' && node.args === null;

/** The key is text even where the fields that it comes from hold numbers: beside it, a number is compared as its text. */
function besideKey(left: Typed, right: Typed): readonly [Typed, Typed] {
  const isKeyText = ({ expr }: Typed): boolean => expr.op === 'meta' && expr.name === 'key';
  const asText = (value: Typed): Typed =>
    value.type === 'number' || value.type === 'unknown'
      ? typed({ op: 'call', fn: 'string', args: [value.expr] }, 'string')
      : value;
  return [isKeyText(right) ? asText(left) : left, isKeyText(left) ? asText(right) : right];
}

function typeHint(left: Typed, right: Typed): string | undefined {
  const lookedUp = [left, right].some(({ expr }) => expr.op === 'lookup' && expr.as === 'string');
  if (lookedUp && (left.type === 'number' || right.type === 'number'))
    return 'Write listNumber to compare it with a number.';
  const constant = left.expr.op === 'const' ? left : right.expr.op === 'const' ? right : null;
  const other = constant === left ? right : left;
  if (constant?.type === 'string' && other.type === 'number') return 'Write the number without quotes.';
  if (constant?.type === 'number' && other.type === 'string') return 'Put the value in quotes.';
  return undefined;
}
