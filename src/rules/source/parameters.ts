/** Values of the parameters of rules, as they are to stand in their text. */
export type ParameterValues = ReadonlyMap<string, string>;

export const NO_PARAMETERS: ParameterValues = new Map();

/** `${name:default}` or `${name}`. */
const FORM = /\$\{([A-Za-z][A-Za-z0-9_]*)(?::([^}\n]*))?\}/g;

/** A parameter that has neither a value nor a default. Offsets count in the text that was filled in. */
export interface MissingParameter {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Fills in the parameters of a rule's text, before anything of it is read: `amount > ${amount:10000}` is `amount > 10000` where
 * no value is given. One without value or default stays as it is, and is told.
 */
export function fillIn(
  text: string,
  values: ParameterValues,
): { readonly text: string; readonly missing: readonly MissingParameter[] } {
  const missing: MissingParameter[] = [];
  let filled = '';
  let end = 0;
  for (const match of text.matchAll(FORM)) {
    const [written, name, byDefault] = match;
    filled += text.slice(end, match.index);
    const value = values.get(name!) ?? byDefault;
    if (value === undefined) missing.push({ name: name!, start: filled.length, end: filled.length + written.length });
    filled += value ?? written;
    end = match.index + written.length;
  }
  return { text: filled + text.slice(end), missing };
}

/** The parameters that a text names, with their defaults; the first default counts. */
export function parametersOf(text: string): ReadonlyMap<string, string | null> {
  const found = new Map<string, string | null>();
  for (const [, name, byDefault] of text.matchAll(FORM)) {
    if ((found.get(name!) ?? null) === null) found.set(name!, byDefault ?? null);
  }
  return found;
}
