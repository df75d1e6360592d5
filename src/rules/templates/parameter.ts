import { DURATION_FORM, parseDuration, sayDuration } from '../source/duration.js';

/** What a parameter's value may be. `texts`: a list for `in [${…}]`; `field`: a name; `expression`: part of a condition. */
export const PARAMETER_TYPES = [
  'number',
  'integer',
  'duration',
  'text',
  'texts',
  'boolean',
  'field',
  'expression',
] as const;
export type ParameterType = (typeof PARAMETER_TYPES)[number];

/** A parameter of a template. */
export interface Parameter {
  readonly name: string;
  readonly type: ParameterType;
  readonly title?: string;
  readonly description?: string;
  /** As it stands in the text; absent: a value has to be given. */
  readonly default?: string;
  /** Of numbers as they are, of durations in milliseconds; both included. */
  readonly minimum?: number;
  readonly maximum?: number;
  /** The only texts that it may be; of `texts` each of them. */
  readonly choices?: readonly string[];
}

export type GivenValue = string | number | boolean | readonly string[];

/** A value as it is to stand in a rule's text, or what is wrong with it. */
export type Written = { readonly text: string } | { readonly problem: string };

const FIELD_FORM = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** What would end a text in quotes, a line, or a value in YAML. */
const NOT_IN_TEXTS = /['"\\{}#$\p{Cc}]/u;
const TEXT_MAX = 200;
const TEXTS_MAX = 1000;

/** The value as it is to stand in the text. Commands give all values as texts. */
export function writeValue(parameter: Parameter, value: unknown): Written {
  switch (parameter.type) {
    case 'number':
    case 'integer':
      return writeNumber(parameter, value);
    case 'duration':
      return writeDuration(parameter, value);
    case 'boolean':
      return value === true || value === false || value === 'true' || value === 'false'
        ? { text: String(value) }
        : { problem: 'must be true or false' };
    case 'text':
      return typeof value === 'string' ? writeText(parameter, value) : { problem: 'must be a text' };
    case 'texts':
      return writeTexts(parameter, value);
    case 'field':
      return typeof value === 'string' && FIELD_FORM.test(value)
        ? oneOf(parameter, value)
        : { problem: 'must be the name of a field' };
    case 'expression':
      return typeof value === 'string' && value.trim() !== '' && !/[\r\n]/.test(value) && value.length <= 10 * TEXT_MAX
        ? { text: value }
        : { problem: 'must be part of a condition, in one line' };
  }
}

function writeNumber({ type, minimum, maximum }: Parameter, value: unknown): Written {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) return { problem: 'must be a number' };
  if (type === 'integer' && !Number.isSafeInteger(number)) return { problem: 'must be a whole number' };
  if (minimum !== undefined && number < minimum) return { problem: `must be at least ${minimum}` };
  if (maximum !== undefined && number > maximum) return { problem: `must be at most ${maximum}` };
  return { text: decimal(number) };
}

/** Without an exponent, which only some places of a rule would take. */
const decimal = (number: number): string =>
  /e/.test(String(number))
    ? number.toLocaleString('en-US', { useGrouping: false, maximumFractionDigits: 20 })
    : String(number);

function writeDuration({ minimum, maximum }: Parameter, value: unknown): Written {
  const ms = typeof value === 'string' ? parseDuration(value) : undefined;
  if (ms === undefined) return { problem: `must be ${DURATION_FORM}` };
  if (minimum !== undefined && ms < minimum) return { problem: `must be at least ${sayDuration(minimum)}` };
  if (maximum !== undefined && ms > maximum) return { problem: `must be at most ${sayDuration(maximum)}` };
  return { text: value as string };
}

function writeText(parameter: Parameter, value: string): Written {
  if (value.length > TEXT_MAX) return { problem: `must be no longer than ${TEXT_MAX} characters` };
  if (NOT_IN_TEXTS.test(value)) return { problem: 'must have no quotes, backslashes, braces, #, $ or line breaks' };
  return oneOf(parameter, value);
}

function writeTexts(parameter: Parameter, value: unknown): Written {
  const texts = typeof value === 'string' ? value.split(',').map((text) => text.trim()) : value;
  if (!Array.isArray(texts) || texts.length === 0 || texts.length > TEXTS_MAX)
    return { problem: `must be a list of 1 to ${TEXTS_MAX} texts` };
  const written: string[] = [];
  for (const text of texts as readonly unknown[]) {
    const one: Written = typeof text === 'string' ? writeText(parameter, text) : { problem: 'must be a list of texts' };
    if ('problem' in one) return one;
    written.push(`'${one.text}'`);
  }
  return { text: written.join(', ') };
}

function oneOf({ choices }: Parameter, text: string): Written {
  if (choices === undefined || choices.includes(text)) return { text };
  return { problem: `must be one of ${choices.join(', ')}` };
}

/** What a value that stands in a text is, for whoever fills it in by a form. */
export function readWritten({ type }: Pick<Parameter, 'type'>, text: string): GivenValue {
  if (type === 'number' || type === 'integer') return Number(text);
  if (type === 'boolean') return text === 'true';
  if (type === 'texts') return [...text.matchAll(/'([^']*)'/g)].map(([, one]) => one!);
  return text;
}

/** The type of a parameter that is not declared, by its default. */
export function typeOf(text: string | null): ParameterType {
  if (text === null || text.trim() === '') return 'expression';
  if (!Number.isNaN(Number(text))) return 'number';
  if (parseDuration(text) !== undefined) return 'duration';
  if (text === 'true' || text === 'false') return 'boolean';
  if (/^'[^']*'(\s*,\s*'[^']*')*$/.test(text)) return 'texts';
  return 'expression';
}
