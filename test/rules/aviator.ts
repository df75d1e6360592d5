import { Environment } from '@marcbachmann/cel-js';
import type { CelNode } from '../../src/rules/condition/cel.js';

/** `undefined` is nil. */
export type AviatorValue = number | string | boolean | undefined;

/** Where AVIATOR throws: the condition, and with it the job, fails. */
export class AviatorError extends Error {}

/**
 * What AVIATOR 5.4 makes of an expression, as far as its grammar is CEL's: nil is less than anything else and equal to itself, and nothing
 * can be computed of it. Each line was compared with the library itself.
 */
export function aviator(text: string, event: Readonly<Record<string, AviatorValue>>): AviatorValue {
  return evaluate(new Environment({}).parse(text).ast, event);
}

function evaluate(node: CelNode, event: Readonly<Record<string, AviatorValue>>): AviatorValue {
  const value = (inner: CelNode): AviatorValue => evaluate(inner, event);
  switch (node.op) {
    case 'value':
      return typeof node.args === 'bigint' ? Number(node.args) : (node.args as AviatorValue);
    case 'id':
      return node.args === 'nil' ? undefined : event[node.args];
    case '&&':
      return truth(value(node.args[0])) && truth(value(node.args[1]));
    case '||':
      return truth(value(node.args[0])) || truth(value(node.args[1]));
    case '!_':
      return !truth(value(node.args));
    case '-_':
      return -numeric(value(node.args));
    case '?:':
      return truth(value(node.args[0])) ? value(node.args[1]) : value(node.args[2]);
    case '==':
      return order(node.args.map(value)) === 0;
    case '!=':
      return order(node.args.map(value)) !== 0;
    case '<':
      return order(node.args.map(value)) < 0;
    case '<=':
      return order(node.args.map(value)) <= 0;
    case '>':
      return order(node.args.map(value)) > 0;
    case '>=':
      return order(node.args.map(value)) >= 0;
    case '+':
    case '-':
    case '*':
    case '/':
    case '%': {
      const [left, right] = node.args.map((arg) => numeric(value(arg))) as [number, number];
      return { '+': left + right, '-': left - right, '*': left * right, '/': left / right, '%': left % right }[node.op];
    }
    case 'rcall': {
      const [name, library, args] = node.args;
      return call(`${(library as Extract<CelNode, { op: 'id' }>).args}.${name}`, args.map(value));
    }
    default:
      throw new Error(`the oracle does not know ${node.op}`);
  }
}

function order([left, right]: readonly AviatorValue[]): number {
  if (left === undefined || right === undefined) return left === right ? 0 : left === undefined ? -1 : 1;
  if (typeof left !== typeof right) throw new AviatorError('values of two types');
  return left < right ? -1 : left > right ? 1 : 0;
}

function truth(value: AviatorValue): boolean {
  if (typeof value !== 'boolean') throw new AviatorError('not a boolean');
  return value;
}

function numeric(value: AviatorValue): number {
  if (typeof value !== 'number') throw new AviatorError('not a number');
  return value;
}

function call(name: string, args: readonly AviatorValue[]): AviatorValue {
  const [first, second] = args;
  if (name === 'math.abs') return Math.abs(numeric(first));
  if (typeof first !== 'string' || typeof second !== 'string') throw new AviatorError('not a text');
  if (name === 'string.startsWith') return first.startsWith(second);
  throw new Error(`the oracle does not know ${name}`);
}
