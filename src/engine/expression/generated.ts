type Maker = (...constants: readonly unknown[]) => unknown;

const known = new Map<string, Maker>();

/**
 * A function of `parameters` that gives the function of `(event, fields, head)` with this text as its value. The text is the
 * generator's (`generate.ts`). The same text gives the same function, also to another compiler: it has been optimized then.
 */
export function functionOf(parameters: readonly string[], text: string): Maker {
  const key = `${parameters.join()}:${text}`;
  let made = known.get(key);
  if (made === undefined) {
    made = new Function(...parameters, `'use strict'; return (event, fields, head) => ${text};`) as Maker;
    known.set(key, made);
  }
  return made;
}
