import { readFileSync } from 'node:fs';
import { nearestName } from '../../rules/source/nearest.js';
import type { SettingsError } from './settings-error.js';
import { expand, type Leaf, type Path, type Tree } from './tree.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A value that an environment variable sets. */
export interface EnvironmentValue {
  readonly path: Path;
  readonly value: unknown;
  readonly env: string;
}

/** `http.bodyLimit` is set by `STAKEOUT_HTTP_BODY_LIMIT`. */
export function variableOf(path: Path): string {
  const words = path.map((name) =>
    name
      .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
      .replace(/[^A-Za-z0-9*]/g, '_')
      .toUpperCase(),
  );
  return ['STAKEOUT', ...words].join('_');
}

/** Kubernetes sets these in every pod beside a service that is called stakeout; they are not ours. */
const fromKubernetes = /^STAKEOUT_(SERVICE_(HOST|PORT)(_.+)?|PORT(_.+)?)$/;

/** Our own variables that are no settings. */
const notSettings: ReadonlySet<string> = new Set(['STAKEOUT_CONFIG', 'STAKEOUT_API_KEY']);

/**
 * What the environment says. `tree` names the streams that variables may speak of. The variable made from the path goes
 * before the conventional ones (`STAKEOUT_HTTP_PORT` before `HTTP_PORT` before `PORT`); an empty variable is not set.
 */
export function readEnvironment(
  leaves: readonly Leaf[],
  tree: Tree,
  env: Environment,
): { readonly values: readonly EnvironmentValue[]; readonly errors: readonly SettingsError[] } {
  const values: EnvironmentValue[] = [];
  const errors: SettingsError[] = [];
  const known = new Set<string>(notSettings);
  for (const leaf of leaves.filter(({ meta }) => meta.kind !== 'map')) {
    for (const path of expand(leaf, tree)) {
      const names = [variableOf(path), ...(leaf.meta.env ?? [])];
      for (const name of names) known.add(name).add(leaf.meta.secret ? `${name}_FILE` : name);
      const found = firstSet(leaf, names, env);
      if (found === undefined) continue;
      if ('code' in found) errors.push({ ...found, path: path.join('.') });
      else values.push({ path, env: found.name, value: fromText(leaf, found.text) });
    }
  }
  return { values, errors: [...errors, ...unknownVariables(known, env)] };
}

function firstSet(leaf: Leaf, names: readonly string[], env: Environment) {
  for (const name of names) {
    const direct = env[name];
    if (direct !== undefined && direct !== '') return { name, text: direct };
    const file = leaf.meta.secret ? env[`${name}_FILE`] : undefined;
    if (file !== undefined && file !== '') return fromFile(`${name}_FILE`, file);
  }
  return undefined;
}

function fromFile(name: string, file: string): { name: string; text: string } | Omit<SettingsError, 'path'> {
  try {
    return { name, text: readFileSync(file, 'utf8').trim() };
  } catch (error) {
    return {
      code: 'SETTINGS_FILE_UNREADABLE',
      env: name,
      expected: 'a file that can be read',
      got: `${file} (${(error as NodeJS.ErrnoException).code ?? 'error'})`,
    };
  }
}

/** Text that does not fit its kind is left as it is, for the validation to complain of. */
function fromText(leaf: Leaf, text: string): unknown {
  switch (leaf.meta.kind) {
    case 'integer':
    case 'number':
      return text.trim() !== '' && !Number.isNaN(Number(text)) ? Number(text) : text;
    case 'boolean':
      return ({ true: true, false: false, 1: true, 0: false } as Record<string, boolean>)[text.toLowerCase()] ?? text;
    case 'list':
      return text.split(',').map((item) => item.trim());
    default:
      return text;
  }
}

function unknownVariables(known: ReadonlySet<string>, env: Environment): readonly SettingsError[] {
  const ours = Object.keys(env).filter((name) => name.startsWith('STAKEOUT_') && !fromKubernetes.test(name));
  return ours
    .filter((name) => !known.has(name) && env[name] !== '')
    .map((name) => {
      const nearest = nearestName(name, known);
      return {
        code: 'SETTINGS_UNKNOWN' as const,
        path: '',
        env: name,
        expected: 'the variable of a setting',
        got: 'an unknown name',
        ...(nearest === undefined ? {} : { hint: `did you mean ${nearest}?` }),
      };
    });
}
