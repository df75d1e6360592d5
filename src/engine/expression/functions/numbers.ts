import type { EngineFunction } from './function.js';

/** Arguments that CEL takes at most. */
const ARGUMENTS_MAX = 8;
const DIGITS_MAX = 15;

const ofNumber = (name: string, apply: (n: number) => number) =>
  ({ name, params: ['number'], result: 'number', apply }) satisfies EngineFunction;

const ofSeveral = (name: string, apply: (...numbers: number[]) => number) =>
  ({
    name,
    params: ['number', 'number'],
    argumentsMax: ARGUMENTS_MAX,
    result: 'number',
    apply,
  }) satisfies EngineFunction;

/** Results that are no number (a root of a negative one) are missing. */
export const numberFunctions: readonly EngineFunction[] = [
  ofNumber('abs', Math.abs),
  ofNumber('floor', Math.floor),
  ofNumber('ceil', Math.ceil),
  ofNumber('sqrt', Math.sqrt),
  ofNumber('log', Math.log),
  ofNumber('log10', Math.log10),
  ofNumber('exp', Math.exp),
  ofSeveral('least', Math.min),
  ofSeveral('greatest', Math.max),
  { name: 'pow', params: ['number', 'number'], result: 'number', apply: (n: number, to: number) => n ** to },
  { name: 'round', params: ['number', 'number'], required: 1, result: 'number', apply: round, check: checkDigits },
];

/** Half is rounded away from zero. What a double cannot hold exactly counts as the decimal number that is meant: 1.005 to 1.01. */
function round(n: number, digits = 0): number | undefined {
  if (!Number.isInteger(digits) || digits < 0 || digits > DIGITS_MAX) return undefined;
  const scale = 10 ** digits;
  const scaled = Math.abs(n) * scale;
  if (scaled >= Number.MAX_SAFE_INTEGER) return n;
  return (Math.sign(n) * Math.round(Number(scaled.toPrecision(DIGITS_MAX)))) / scale;
}

function checkDigits(args: Parameters<NonNullable<EngineFunction['check']>>[0]) {
  const digits = args[1];
  if (digits === undefined || (Number.isInteger(digits) && (digits as number) >= 0 && (digits as number) <= DIGITS_MAX))
    return undefined;
  return { index: 1, message: `The number of decimals must be a whole number from 0 to ${DIGITS_MAX}.` };
}
