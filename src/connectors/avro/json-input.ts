/**
 * From JSON as people send it to what avsc writes: unions without their branch's name, times as numbers or ISO 8601,
 * decimals as numbers or text, bytes as base 64. All errors at once, each with its place.
 *
 * J1. A checker never throws, and what it returns without an error can be written.
 */
import { type AvroObject, type AvroSchema, AvroSchemaError, isAvroObject, simpleName } from './schema.js';

/** `got` may show a part of the value: it is for whoever sent it, not for a log. */
export interface InputError {
  /** `amount`, `card.country`, `items[2]`; empty for the record itself. */
  readonly path: string;
  readonly expected: string;
  readonly got: string;
}

/** Checks a value and returns it as avsc wants it. `undefined` stands for a field's default. */
export type InputChecker = (value: unknown, path: string, errors: InputError[]) => unknown;

const GOT_CHARS_MAX = 60;

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > GOT_CHARS_MAX ? `${text.slice(0, GOT_CHARS_MAX)}…` : text;
}

/** A checker that takes what `convert` does not answer `undefined` for. */
function checker(expected: string, convert: (value: unknown) => unknown): InputChecker {
  return (value, path, errors) => {
    const result = convert(value);
    if (result === undefined) errors.push({ path, expected, got: show(value) });
    return result;
  };
}

const isWhole = (value: unknown, max: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= -max - 1 && value <= max;
const LONG_MAX = Number.MAX_SAFE_INTEGER - 1;

const primitives: Readonly<Record<string, InputChecker>> = {
  null: checker('null', (value) => (value === null ? null : undefined)),
  boolean: checker('true or false', (value) => (typeof value === 'boolean' ? value : undefined)),
  int: checker('a whole number of 32 bits', (value) => (isWhole(value, 0x7fffffff) ? value : undefined)),
  long: checker('a whole number below 2^53', (value) => (isWhole(value, LONG_MAX) ? value : undefined)),
  float: checker('a number', (value) => (Number.isFinite(value) ? value : undefined)),
  double: checker('a number', (value) => (Number.isFinite(value) ? value : undefined)),
  string: checker('text', (value) => (typeof value === 'string' ? value : undefined)),
  bytes: checker('bytes in base 64', fromBase64),
};

function fromBase64(value: unknown): Buffer | undefined {
  const isBase64 = typeof value === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(value) && value.length % 4 === 0;
  return isBase64 ? Buffer.from(value, 'base64') : undefined;
}

/** A time without a zone is UTC, so that it does not mean something else on another machine. */
function parseTime(text: string): number {
  const match = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/.exec(text);
  if (match === null) return Number.NaN;
  return Date.parse(text.length > 10 && match[1] === undefined ? `${text}Z` : text);
}

function timestamp(perMs: number): InputChecker {
  return checker('milliseconds since 1970, or text in ISO 8601', (value) => {
    const ms = typeof value === 'string' ? parseTime(value) : value;
    return isWhole(ms, Math.floor(LONG_MAX / perMs)) ? ms * perMs : undefined;
  });
}

/** `size`: of a fixed; bytes take as many as they need. */
function decimal(scale: number, size: number | null): InputChecker {
  return checker(`a number of at most ${scale} decimals`, (value) => {
    const match = /^([+-]?)(\d+)(?:\.(\d*))?$/.exec(typeof value === 'number' ? String(value) : String(value ?? ''));
    if (match === null || (typeof value !== 'number' && typeof value !== 'string')) return undefined;
    const [, sign, whole = '', decimals = ''] = match;
    const rest = decimals.replace(/0+$/, '');
    if (rest.length > scale) return undefined;
    const unscaled = BigInt(`${whole}${rest.padEnd(scale, '0')}`);
    return twosComplement(sign === '-' ? -unscaled : unscaled, size);
  });
}

function twosComplement(value: bigint, size: number | null): Buffer | undefined {
  let bytes = 1;
  while (BigInt.asIntN(bytes * 8, value) !== value) bytes += 1;
  if (size !== null && bytes > size) return undefined;
  const length = size ?? bytes;
  const hex = BigInt.asUintN(length * 8, value).toString(16);
  return Buffer.from(hex.padStart(length * 2, '0'), 'hex');
}

export interface InputOptions {
  /** What to do with a field that the schema does not have. Default `reject`: it may be a misspelt one. */
  readonly unknownFields?: 'reject' | 'drop';
}

/** Makes the checker of a schema. Throws `AvroSchemaError` for what cannot be written. */
export function inputChecker(schema: AvroSchema, options: InputOptions = {}): InputChecker {
  return new Compiler(options.unknownFields ?? 'reject').compile(schema);
}

class Compiler {
  /** Checkers of named types; a record is entered before its fields, which may name it. */
  private readonly named = new Map<string, InputChecker>();

  constructor(private readonly unknownFields: 'reject' | 'drop') {}

  compile(schema: AvroSchema): InputChecker {
    if (typeof schema === 'string') return this.reference(schema);
    if (!isAvroObject(schema)) return this.union(schema);
    const logical = schema.logicalType ?? '';
    switch (schema.type) {
      case 'record':
      case 'error':
        return this.record(schema);
      case 'enum': {
        const symbols = new Set<unknown>(schema.symbols);
        const isSymbol = checker(`one of ${[...symbols].join(', ')}`, (v) => (symbols.has(v) ? v : undefined));
        return this.define(schema, isSymbol);
      }
      case 'fixed':
        return this.define(schema, this.fixed(schema, schema.size ?? 0));
      case 'array':
        return this.array(this.compile(schema.items!));
      case 'map':
        return this.map(this.compile(schema.values!));
      case 'bytes':
        return logical === 'decimal' ? decimal(schema.scale ?? 0, null) : primitives.bytes!;
      case 'long':
        if (/^(local-)?timestamp-millis$/.test(logical)) return timestamp(1);
        if (/^(local-)?timestamp-micros$/.test(logical)) return timestamp(1_000);
        if (/^(local-)?timestamp-nanos$/.test(logical)) throw new AvroSchemaError('timestamp-nanos cannot be written');
        return primitives.long!;
      default:
        return this.compile(schema.type);
    }
  }

  private define(schema: AvroObject, check: InputChecker): InputChecker {
    this.named.set(simpleName(schema.name ?? ''), check);
    return check;
  }

  private reference(name: string): InputChecker {
    const found = primitives[name] ?? this.named.get(simpleName(name));
    if (found === undefined) throw new AvroSchemaError(`Type ${name} is not defined`);
    return found;
  }

  private fixed(schema: AvroObject, size: number): InputChecker {
    if (schema.logicalType === 'decimal') return decimal(schema.scale ?? 0, size);
    return checker(`${size} bytes in base 64`, (value) => {
      const bytes = fromBase64(value);
      return bytes?.length === size ? bytes : undefined;
    });
  }

  private array(item: InputChecker): InputChecker {
    return (value, path, errors) => {
      if (Array.isArray(value)) return value.map((each, i) => item(each, `${path}[${i}]`, errors));
      errors.push({ path, expected: 'a list', got: show(value) });
      return undefined;
    };
  }

  private map(item: InputChecker): InputChecker {
    return (value, path, errors) => {
      if (isObject(value)) {
        return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, item(v, join(path, key), errors)]));
      }
      errors.push({ path, expected: 'an object', got: show(value) });
      return undefined;
    };
  }

  /** The first branch that takes the value without an error, under its name as avsc wants it. */
  private union(branches: readonly AvroSchema[]): InputChecker {
    const nullable = branches.includes('null');
    const values = branches.filter((branch) => branch !== 'null');
    const named = values.map((branch) => ({ name: branchName(branch), check: this.compile(branch) }));
    return (value, path, errors) => {
      if (nullable && (value === null || value === undefined)) return null;
      const attempts: InputError[][] = [];
      for (const { name, check } of named) {
        const inner = unwrap(value, name);
        const attempt: InputError[] = [];
        const result = check(inner, path, attempt);
        if (attempt.length === 0) return { [name]: result };
        // Whoever names the branch wants to hear what is wrong in it.
        if (inner !== value) {
          errors.push(...attempt);
          return undefined;
        }
        attempts.push(attempt);
      }
      errors.push(...describe(attempts, path, value, nullable));
      return undefined;
    };
  }

  private record(schema: AvroObject): InputChecker {
    const fields: { readonly name: string; readonly hasDefault: boolean; readonly check: InputChecker }[] = [];
    const names = new Set(schema.fields?.map((field) => field.name));
    const title = simpleName(schema.name ?? 'record');
    const check: InputChecker = (value, path, errors) => {
      if (!isObject(value)) {
        errors.push({ path, expected: `an object (${title})`, got: show(value) });
        return undefined;
      }
      const result: Record<string, unknown> = {};
      for (const { name, hasDefault, check } of fields) {
        const given = Object.hasOwn(value, name) ? value[name] : undefined;
        if (given !== undefined || !hasDefault) result[name] = check(given, join(path, name), errors);
      }
      if (this.unknownFields === 'reject') {
        for (const name of Object.keys(value)) {
          if (names.has(name)) continue;
          errors.push({ path: join(path, name), expected: `a field of ${title}`, got: 'an unknown field' });
        }
      }
      return result;
    };
    this.define(schema, check);
    for (const field of schema.fields ?? []) {
      fields.push({ name: field.name, hasDefault: field.default !== undefined, check: this.compile(field.type) });
    }
    return check;
  }
}

function describe(
  attempts: readonly InputError[][],
  path: string,
  value: unknown,
  nullable: boolean,
): readonly InputError[] {
  const [only] = attempts;
  if (attempts.length === 1 && only !== undefined) {
    return only.map((error) =>
      nullable && error.path === path ? { ...error, expected: `${error.expected}, or null` } : error,
    );
  }
  const expected = attempts.map((attempt) => (attempt[0]?.path === path ? attempt[0].expected : 'an object'));
  const choices = [...new Set(expected), ...(nullable ? ['null'] : [])];
  return [{ path, expected: choices.join(', or '), got: show(value) }];
}

/** The name avsc has for a branch. Namespaces are stripped before schemas get here. */
function branchName(branch: AvroSchema): string {
  if (typeof branch === 'string') return branch;
  if (!isAvroObject(branch)) throw new AvroSchemaError('A union cannot stand in a union');
  return branch.name ?? branchName(branch.type);
}

/** `{"Withdrawal": {…}}` says the branch; anything else is the value itself. */
function unwrap(value: unknown, name: string): unknown {
  if (!isObject(value)) return value;
  const keys = Object.keys(value);
  return keys.length === 1 && keys[0] === name && isObject(value[name]) ? value[name] : value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
