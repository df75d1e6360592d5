/** The functions that conditions may call: pure, total, with no access to anything but their arguments. A missing argument gives a missing result. */
export interface EngineFunction {
  readonly name: string;
  readonly arity: number;
  readonly result: 'number' | 'string' | 'boolean';
  readonly params: readonly ('number' | 'string')[];
  /** `undefined` is the missing value. Arguments of another type than declared count as missing. */
  readonly apply: (...args: never[]) => number | string | boolean | undefined;
}

const definitions: readonly EngineFunction[] = [
  {
    name: 'startsWith',
    arity: 2,
    params: ['string', 'string'],
    result: 'boolean',
    apply: (s: string, p: string) => s.startsWith(p),
  },
  {
    name: 'endsWith',
    arity: 2,
    params: ['string', 'string'],
    result: 'boolean',
    apply: (s: string, p: string) => s.endsWith(p),
  },
  {
    name: 'contains',
    arity: 2,
    params: ['string', 'string'],
    result: 'boolean',
    apply: (s: string, p: string) => s.includes(p),
  },
  { name: 'size', arity: 1, params: ['string'], result: 'number', apply: (s: string) => s.length },
  { name: 'lower', arity: 1, params: ['string'], result: 'string', apply: (s: string) => s.toLowerCase() },
  { name: 'upper', arity: 1, params: ['string'], result: 'string', apply: (s: string) => s.toUpperCase() },
  { name: 'abs', arity: 1, params: ['number'], result: 'number', apply: (n: number) => Math.abs(n) },
  { name: 'floor', arity: 1, params: ['number'], result: 'number', apply: (n: number) => Math.floor(n) },
  { name: 'ceil', arity: 1, params: ['number'], result: 'number', apply: (n: number) => Math.ceil(n) },
];

export const FUNCTIONS: ReadonlyMap<string, EngineFunction> = new Map(definitions.map((f) => [f.name, f]));
