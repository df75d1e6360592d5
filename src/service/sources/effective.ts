import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  formatSettingsError,
  loadSettings,
  type RegisteredStream,
  type Settings,
  type StreamSettings,
} from '../../runtime/settings/index.js';
import { isTree, type Tree } from '../../runtime/settings/tree.js';
import { digestOf, type SourceKind, type SourceVersion } from '../../runtime/sources/source-chain.js';

/** A stream or sink that is not as it should be: what is wrong, by setting. */
export class SourceSettingsError extends Error {
  readonly code = 'SOURCE_SETTINGS';
  constructor(readonly errors: readonly { readonly path: string; readonly message: string }[]) {
    super(errors.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  }
}

const SECTIONS: Readonly<Record<SourceKind, 'streams' | 'sinks'>> = { stream: 'streams', sink: 'sinks' };
const VARIABLE = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/;

type Version = Pick<SourceVersion, 'name' | 'definition' | 'digest' | 'first'>;

/** The settings with what was registered in them, as their last changes have it. Throws `SourceSettingsError`. */
export function effectiveSettings(
  settings: Settings,
  versions: Readonly<Record<SourceKind, readonly Version[]>>,
): Settings {
  const streams: Record<string, StreamSettings> = { ...settings.streams };
  const registered: Record<string, RegisteredStream> = {};
  for (const { name, definition, digest, first } of versions.stream) {
    registered[name] = { digest, definition, was: first };
    if (definition === null) delete streams[name];
    else streams[name] = streamOf(settings, name, definition);
  }
  const sinks = { ...settings.sinks };
  for (const { name, definition } of versions.sink) {
    if (definition === null) delete sinks[name];
    else sinks[name] = loaded(settings, 'sink', name, definition).sinks[name]!;
  }
  return { ...settings, streams, sinks, registered };
}

/** A stream as its definition has it. Throws `SourceSettingsError`. */
export function streamOf(settings: Settings, name: string, definition: Tree): StreamSettings {
  const { schema, ...rest } = definition;
  const path = schema === undefined ? {} : { schema: isTree(schema) ? schemaFile(settings, schema) : schema };
  return loaded(settings, 'stream', name, { ...rest, ...path }).streams[name]!;
}

/** Throws `SourceSettingsError` unless a definition holds. */
export function checkSource(settings: Settings, kind: SourceKind, name: string, definition: Tree): void {
  if (kind === 'stream') streamOf(settings, name, definition);
  else loaded(settings, kind, name, definition);
}

/** The definition of one of the settings as it is kept: its schema stands in it. Throws where the schema cannot be read. */
export function withSchema(definition: Tree): Tree {
  const { schema } = definition;
  if (typeof schema !== 'string') return definition;
  return { ...definition, schema: JSON.parse(readFileSync(schema, 'utf8')) as Tree };
}

/** Reads one definition as a settings file with nothing else in it. */
function loaded(settings: Settings, kind: SourceKind, name: string, definition: Tree): Settings {
  const section = SECTIONS[kind];
  const others = kind === 'sink' ? { streams: { any: { topic: 'any', format: 'ndjson' } } } : {};
  const { registry, database, redis } = settings;
  const urls = Object.entries({ registry, database, redis }).flatMap(([key, { url }]) =>
    url === undefined ? [] : [[key, { url }] as const],
  );
  const { groupId } = settings.kafka;
  const common = { kafka: { groupId }, ...Object.fromEntries(urls) };
  const tree = { ...others, ...common, [section]: { [name]: fromEnvironment(definition) } };
  const result = loadSettings({ tree, env: {} });
  if (!('errors' in result)) return result.settings;
  throw new SourceSettingsError(
    result.errors.map((error) => ({
      path: error.path.replace(`${section}.${name}.`, ''),
      message: formatSettingsError(error),
    })),
  );
}

/** A value `${NAME}` is that of a variable of the service, so that a secret need not be in the topic. */
function fromEnvironment(value: Tree): Tree {
  return Object.fromEntries(
    Object.entries(value).map(([key, of]) => {
      if (isTree(of)) return [key, fromEnvironment(of)];
      const variable = typeof of === 'string' ? VARIABLE.exec(of)?.[1] : undefined;
      return [key, variable === undefined ? of : (process.env[variable] ?? '')];
    }),
  );
}

/** Lanes read schemas from files. Its name is its content's, so that it is never another. */
function schemaFile({ data }: Settings, schema: Tree): string {
  const folder = join(data.directory, 'schemas');
  const file = join(folder, `${digestOf(schema).slice(0, 32)}.avsc`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, JSON.stringify(schema));
  return file;
}
