import type { RuleText } from '../read/load-rules.js';
import { ID_FORM } from '../read/parse-rule.js';
import type { Rule, RuleStatus } from '../rule.js';
import { fillIn, parametersOf } from '../source/parameters.js';
import { type GivenValue, type Parameter, readWritten, typeOf, writeValue } from './parameter.js';
import { readParameters, withoutParameters } from './read-parameters.js';

/** A rule with parameters, from which others are made. */
export interface Template extends RuleText {
  readonly id: string;
  readonly title: string;
  readonly description: string | null;
  readonly parameters: readonly Parameter[];
}

/** What a rule that is made from a template is to be. */
export interface Filling {
  readonly id: string;
  /** Absent: the template's. */
  readonly title?: string;
  readonly status: RuleStatus;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Something that is wrong with what a template is to be filled with. */
export interface FillingProblem {
  /** `id`, `values.amount`. */
  readonly path: string;
  readonly message: string;
}

/** The parameters of a text: those that it declares, in their order, and then those that it merely uses. */
export function parametersIn(text: string, file: string): readonly Parameter[] {
  const { parameters: declared } = readParameters(text, file);
  const known = new Set(declared.map(({ name }) => name));
  const used = [...parametersOf(withoutParameters(text))].filter(([name]) => !known.has(name));
  return [
    ...declared,
    ...used.map(([name, byDefault]): Parameter => {
      return { name, type: typeOf(byDefault), ...(byDefault === null ? {} : { default: byDefault }) };
    }),
  ];
}

/** The template that a rule's text is; `null`: it has no parameters. */
export function templateOf(
  { file, text }: RuleText,
  rule: Pick<Rule, 'id' | 'title' | 'description'>,
): Template | null {
  const parameters = parametersIn(text, file);
  if (parameters.length === 0) return null;
  const { id, title, description = null } = rule;
  return { file, text, id, title, description, parameters };
}

/** The text of a rule with the values filled in, its section of parameters gone; or all that is wrong with the values. */
export function fillTemplate(
  template: Template,
  { id, title, status, values }: Filling,
): { readonly text: string } | { readonly problems: readonly FillingProblem[] } {
  const problems: FillingProblem[] = [];
  if (!ID_FORM.test(id) || id.length > 64)
    problems.push({ path: 'id', message: 'must be small letters, digits and single hyphens, at most 64' });
  if (title !== undefined && /[\r\n]/.test(title)) problems.push({ path: 'title', message: 'must be one line' });
  for (const name of Object.keys(values)) {
    if (!template.parameters.some((parameter) => parameter.name === name))
      problems.push({ path: `values.${name}`, message: `${template.id} has no such parameter` });
  }
  const texts = new Map<string, string>();
  for (const parameter of template.parameters) {
    const written = valueFor(parameter, values[parameter.name]);
    if ('problem' in written) problems.push({ path: `values.${parameter.name}`, message: written.problem });
    else texts.set(parameter.name, written.text);
  }
  if (problems.length > 0) return { problems };
  const head = [
    ...(title === undefined ? [] : ([['title', JSON.stringify(title)]] as const)),
    ...([
      ['status', status],
      ['id', id],
    ] as const),
  ];
  const body = head.reduce((text, [key, value]) => withLine(text, key, value), withoutParameters(template.text));
  return { text: `# From the template ${template.id}: ${inWords(texts)}\n${fillIn(body, texts).text}` };
}

function valueFor(parameter: Parameter, given: unknown) {
  if (given !== undefined && given !== null) return writeValue(parameter, given);
  return parameter.default === undefined ? { problem: 'is missing' } : { text: parameter.default };
}

/** The value of a key of the rule put where it stands, or before all else. */
function withLine(text: string, key: string, value: string): string {
  const line = new RegExp(`^${key}[ \\t]*:.*$`, 'm');
  return line.test(text) ? text.replace(line, () => `${key}: ${value}`) : `${key}: ${value}\n${text}`;
}

const inWords = (texts: ReadonlyMap<string, string>): string =>
  [...texts].map(([name, text]) => `${name} ${text.replaceAll('$', '')}`).join(', ') || 'no values';

/** A JSON Schema (2020-12) of the values that a template takes, for whoever draws a form. `fields`: of the streams; `null`: not known. */
export function schemaOfParameters(template: Template, fields: readonly string[] | null): object {
  const properties = template.parameters.map((parameter) => [parameter.name, propertyOf(parameter, fields)] as const);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: template.title,
    ...(template.description === null ? {} : { description: template.description }),
    type: 'object',
    properties: Object.fromEntries(properties),
    required: template.parameters.filter((parameter) => parameter.default === undefined).map(({ name }) => name),
    additionalProperties: false,
  };
}

const DURATION_PATTERN = '^(\\d+(\\.\\d+)?(ms|s|m|h|d))+$';

function propertyOf(parameter: Parameter, fields: readonly string[] | null): object {
  const { name, title = name, description, default: byDefault, minimum, maximum, choices } = parameter;
  const said = {
    title,
    ...(description === undefined ? {} : { description }),
    ...(byDefault === undefined ? {} : { default: readWritten(parameter, byDefault) satisfies GivenValue }),
  };
  const bounds = { ...(minimum === undefined ? {} : { minimum }), ...(maximum === undefined ? {} : { maximum }) };
  const among = choices === undefined ? {} : { enum: choices };
  switch (parameter.type) {
    case 'number':
    case 'integer':
      return { type: parameter.type, ...said, ...bounds };
    case 'duration':
      // JSON Schema has no bounds for texts: these are in milliseconds.
      return { type: 'string', format: 'stakeout-duration', pattern: DURATION_PATTERN, ...said, ...prefixed(bounds) };
    case 'boolean':
      return { type: 'boolean', ...said };
    case 'texts':
      return { type: 'array', items: { type: 'string', ...among }, minItems: 1, ...said };
    case 'field':
      return { type: 'string', ...(fields === null ? {} : { enum: fields }), ...among, ...said };
    case 'text':
      return { type: 'string', maxLength: 200, ...among, ...said };
    case 'expression':
      return { type: 'string', format: 'stakeout-expression', ...said };
  }
}

const prefixed = (bounds: object): object =>
  Object.fromEntries(Object.entries(bounds).map(([key, value]) => [`x-${key}-ms`, value]));
