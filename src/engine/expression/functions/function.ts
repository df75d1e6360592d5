import type { Scalar } from '../expression.js';

/** `any`: a number, a text, or true or false. */
export type ParamType = 'number' | 'string' | 'any';

/** What is wrong with an argument that is a constant. */
export interface ArgumentProblem {
  /** Of the argument, from 0. */
  readonly index: number;
  readonly message: string;
  readonly hint?: string;
  /** Names of which one may be meant. */
  readonly names?: readonly string[];
}

/**
 * A function that conditions may call: pure, total, with no access to anything but its arguments (and to the time zones of the
 * runtime, see `time-zone.ts`). A missing argument gives a missing result.
 */
export interface EngineFunction {
  readonly name: string;
  readonly params: readonly ParamType[];
  /** So many of the parameters must be given; absent: all. */
  readonly required?: number;
  /** The last parameter may be given again, up to so many arguments in all. */
  readonly argumentsMax?: number;
  readonly result: 'number' | 'string' | 'boolean';
  /** `undefined` and NaN are the missing value. Arguments of another type than declared count as missing. */
  readonly apply: (...args: never[]) => number | string | boolean | undefined;
  /** For when a rule is loaded: `undefined` stands for an argument that is no constant. */
  readonly check?: (args: readonly (Scalar | undefined)[]) => ArgumentProblem | undefined;
}

export const fewest = (fn: EngineFunction): number => fn.required ?? fn.params.length;
export const most = (fn: EngineFunction): number => fn.argumentsMax ?? fn.params.length;
/** Type of the n-th argument, from 0. */
export const paramOf = (fn: EngineFunction, n: number): ParamType => fn.params[Math.min(n, fn.params.length - 1)]!;
