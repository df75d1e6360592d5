import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { nearestName } from '../../rules/source/nearest.js';
import type { TopicSelection } from '../ports/log.js';
import { accessConflicts } from './access.js';
import { type ConfigFile, readConfigFile } from './config-file.js';
import { type Environment, readEnvironment } from './environment.js';
import { listConflicts } from './lists.js';
import {
  defaultStreams,
  type ParsedSettings,
  type ParsedStream,
  type SettingsInput,
  settingsSchema,
} from './schema.js';
import type { SettingsError } from './settings-error.js';
import { sinkConflicts } from './sinks.js';
import { isTable, streamTableConflicts } from './table.js';
import { expand, getAt, isTree, leafAt, leavesOf, namesIn, type Path, setAt, type Tree } from './tree.js';

export type RecordFormat = 'avro-confluent' | 'avro' | 'ndjson' | 'csv' | 'parquet';

/** One stream, with what follows from other settings filled in. Durations are in milliseconds, paths absolute. */
export interface StreamSettings extends Omit<ParsedStream, 'topics' | 'format'> {
  readonly name: string;
  /** What to read; absent for a file. */
  readonly topics?: TopicSelection;
  readonly format: RecordFormat;
  /** Of a table, while the service runs: whether rows may still come. */
  readonly feed?: 'open' | 'done';
}

/** All settings, checked. Durations are in milliseconds, sizes in bytes, paths absolute. */
export interface Settings extends Omit<ParsedSettings, 'streams' | 'demo'> {
  readonly streams: Readonly<Record<string, StreamSettings>>;
  readonly demo: { readonly enabled: boolean; readonly rate: number; readonly seed: number };
  /** Streams and sinks as they were written, with paths that are absolute. */
  readonly written: Readonly<Record<'streams' | 'sinks', Readonly<Record<string, Tree>>>>;
  /** Streams that were registered or changed while the service ran, by name. */
  readonly registered?: Readonly<Record<string, RegisteredStream>>;
}

/** A stream that the settings of a file alone do not tell. */
export interface RegisteredStream {
  /** Names the definition. */
  readonly digest: string;
  /** As in the settings, but for the schema, which stands in it; `null`: it was taken away. */
  readonly definition: Tree | null;
  /** The same before it was first registered; `null`: there was none. */
  readonly was: Tree | null;
}

type DeepPartial<T> = T extends readonly unknown[] | ((...args: never[]) => unknown)
  ? T
  : T extends object
    ? { [K in keyof T]?: DeepPartial<T[K]> }
    : T;

/** Settings as they stand in a file, any part of them. */
export type SettingsOverrides = DeepPartial<SettingsInput>;

export interface LoadOptions {
  /** What a config file would hold, in place of one. */
  readonly tree?: Tree;
  /** A YAML config file; relative paths in it are relative to it. */
  readonly file?: string;
  readonly env: Environment;
  /** Go before the environment, which goes before the file (options of a command; tests). */
  readonly overrides?: SettingsOverrides;
  /** What relative paths from the environment, overrides and defaults are relative to. Default: the current folder. */
  readonly cwd?: string;
}

const leaves = leavesOf(settingsSchema);

/** Where a value came from, for messages. */
interface Origins {
  readonly file?: string;
  readonly lineOf?: ConfigFile['lineOf'];
  /** Environment variable by path. */
  readonly env: ReadonlyMap<string, string>;
}

/** Reads and checks everything at once: either all settings, or everything that is wrong with them. Never throws for bad settings. */
export function loadSettings(
  options: LoadOptions,
): { readonly settings: Settings } | { readonly errors: readonly SettingsError[] } {
  const cwd = options.cwd ?? process.cwd();
  const config = options.file === undefined ? undefined : readConfigFile(resolve(cwd, options.file));
  if (config && 'errors' in config) return config;
  const tree: Tree = structuredClone(config?.tree ?? options.tree ?? {});
  if (options.file !== undefined) resolvePaths(tree, dirname(resolve(cwd, options.file)));
  tree.streams ??= structuredClone(defaultStreams);

  const environment = readEnvironment(leaves, tree, options.env);
  const above: Tree = {};
  for (const { path, value } of environment.values) setAt(above, path, value);
  merge(above, structuredClone(options.overrides ?? {}) as Tree);
  resolvePaths(above, cwd);
  merge(tree, above);

  const origins: Origins = {
    file: options.file,
    lineOf: config?.lineOf,
    env: new Map(environment.values.map(({ path, env }) => [path.join('.'), env])),
  };
  const parsed = settingsSchema.safeParse(tree);
  const errors = [
    ...environment.errors,
    ...(parsed.success ? [] : parsed.error.issues.flatMap((issue) => describe(issue, tree, origins))),
    ...conflicts(tree, origins),
  ];
  if (errors.length > 0 || !parsed.success) return { errors };
  return { settings: complete(parsed.data, cwd, tree) };
}

/** Lays `over` onto `tree`; lists and values replace, sections merge. */
function merge(tree: Tree, over: Tree): void {
  for (const [name, value] of Object.entries(over)) {
    const under = tree[name];
    if (value === undefined) continue;
    if (isTree(value) && isTree(under)) merge(under, value);
    else tree[name] = value;
  }
}

function resolvePaths(tree: Tree, base: string): void {
  for (const leaf of leaves) {
    if (leaf.meta.kind !== 'path') continue;
    for (const path of expand(leaf, tree)) {
      const value = getAt(tree, path);
      if (typeof value === 'string' && value !== '') setAt(tree, path, resolve(base, value));
    }
  }
}

function describe(issue: z.core.$ZodIssue, tree: Tree, origins: Origins): readonly SettingsError[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const nearest = nearestName(key, namesIn(leaves, path));
      return {
        code: 'SETTINGS_UNKNOWN',
        ...placeOf([...path, key], origins),
        expected: `one of ${[...namesIn(leaves, path)].join(', ')}`,
        got: 'an unknown key',
        ...(nearest === undefined ? {} : { hint: `did you mean ${nearest}?` }),
      };
    });
  }
  const leaf = nearestLeaf(path);
  const at = leaf ? path.slice(0, leaf.path.length) : path;
  return [
    {
      code: 'SETTINGS_INVALID',
      ...placeOf(at, origins),
      expected: leaf?.meta.expected ?? (issue.code === 'invalid_key' ? streamName : 'a section'),
      got: leaf?.meta.secret ? 'something else (a secret, not shown)' : said(getAt(tree, at)),
    },
  ];
}

const streamName = 'a name that begins with a letter and has letters, digits, "_" and "-"';

/** An issue may lie inside a setting (an item of a list): the setting is what we speak of. */
function nearestLeaf(path: Path) {
  for (let length = path.length; length > 0; length--) {
    const leaf = leafAt(leaves, path.slice(0, length));
    if (leaf) return leaf;
  }
  return undefined;
}

function placeOf(path: Path, origins: Origins): Pick<SettingsError, 'path' | 'env' | 'file' | 'line'> {
  const name = path.join('.');
  const env = origins.env.get(name);
  if (env !== undefined) return { path: name, env };
  const line = origins.lineOf?.(path);
  return line === undefined ? { path: name } : { path: name, file: origins.file, line };
}

function said(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** What single settings cannot show: pairs that exclude or need each other. Reads the raw tree, so that it runs beside other errors. */
function conflicts(tree: Tree, origins: Origins): readonly SettingsError[] {
  const errors: SettingsError[] = [];
  const add = (path: Path, expected: string, got: string) =>
    errors.push({ code: 'SETTINGS_CONFLICT', ...placeOf(path, origins), expected, got });
  const streams = isTree(tree.streams) ? Object.entries(tree.streams) : [];
  if (isTree(tree.streams) && streams.length === 0) add(['streams'], 'at least one stream', 'none');
  for (const [name, stream] of streams) {
    if (!isTree(stream)) continue;
    const sources = ['topic', 'topics', 'file', 'table.name', 'table.query'].filter(
      (key) => getAt(stream, key.split('.')) !== undefined,
    );
    const hasTable = isTree(stream.table);
    // A table has a topic that its rows are fed into.
    const others = hasTable ? sources.filter((key) => key !== 'topic') : sources;
    const choices = 'one of topic, topics, file, table.name and table.query';
    if (others.length > 1) add(['streams', name], choices, sources.join(' and '));
    if (hasTable)
      streamTableConflicts(stream, tree, (path, expected) => add(['streams', name, ...path], expected, 'nothing'));
    if ((stream.format === 'csv' || stream.format === 'parquet') && stream.file === undefined) {
      add(['streams', name, 'file'], `a file, because streams.${name}.format is ${stream.format}`, 'nothing');
    }
    if (stream.format === 'avro-confluent' && getAt(tree, ['registry', 'url']) === undefined) {
      add(['registry', 'url'], `a URL, because streams.${name}.format is avro-confluent`, 'nothing');
    }
    const format = stream.format ?? (getAt(tree, ['registry', 'url']) === undefined ? 'avro' : 'avro-confluent');
    if (format === 'avro' && stream.file === undefined && !hasTable && stream.schema === undefined) {
      add(['streams', name, 'schema'], 'an Avro schema (.avsc), because plain Avro does not carry its own', 'nothing');
    }
  }
  listConflicts(tree, add);
  if (getAt(tree, ['checkpoint', 'to']) === 's3' && getAt(tree, ['checkpoint', 's3', 'bucket']) === undefined) {
    add(['checkpoint', 's3', 'bucket'], 'a bucket, because checkpoint.to is s3', 'nothing');
  }
  sinkConflicts(tree, add);
  accessConflicts(tree, add);
  for (const [one, other] of [
    ['certificate', 'key'],
    ['key', 'certificate'],
  ] as const) {
    const isAlone =
      getAt(tree, ['http', 'tls', one]) !== undefined && getAt(tree, ['http', 'tls', other]) === undefined;
    if (isAlone) add(['http', 'tls', other], `a PEM file, because http.tls.${one} is set`, 'nothing');
  }
  const storeUrl = getAt(tree, ['alertStore', 'url']);
  if (typeof storeUrl === 'string' && !/^postgres(ql)?:\/\//.test(storeUrl))
    add(['alertStore', 'url'], 'a URL that begins with postgres://', 'something else (a secret, not shown)');
  const sasl = getAt(tree, ['kafka', 'sasl']);
  if (isTree(sasl) && sasl.mechanism === 'OAUTHBEARER') oauthConflicts(sasl, add);
  else if (isTree(sasl) && sasl.mechanism !== undefined) {
    for (const key of ['username', 'password'].filter((name) => sasl[name] === undefined)) {
      add(['kafka', 'sasl', key], `a ${key}, because kafka.sasl.mechanism is set`, 'nothing');
    }
  }
  return errors;
}

function oauthConflicts(sasl: Tree, add: (path: Path, expected: string, got: string) => void): void {
  const at = (key: string): Path => ['kafka', 'sasl', 'oauth', key];
  const given = (key: string): boolean => getAt(sasl, ['oauth', key]) !== undefined;
  if (given('tokenFile')) {
    if (given('tokenUrl')) add(at('tokenFile'), 'one of tokenFile and tokenUrl', 'both');
    return;
  }
  for (const key of ['tokenUrl', 'clientId', 'clientSecret'].filter((name) => !given(name)))
    add(at(key), `a ${key} (or a tokenFile), because kafka.sasl.mechanism is OAUTHBEARER`, 'nothing');
}

/** Fills in what follows from other settings. */
function complete(parsed: ParsedSettings, cwd: string, tree: Tree): Settings {
  const byDefault: RecordFormat = parsed.registry.url === undefined ? 'avro' : 'avro-confluent';
  const streams = Object.entries(parsed.streams).map(([name, stream]): [string, StreamSettings] => {
    const byName = isTable(stream.table) ? `${parsed.kafka.groupId}-table-${name}` : name;
    const isElsewhere = stream.file !== undefined || stream.topics !== undefined;
    const topic = stream.topic ?? (isElsewhere ? undefined : byName);
    const topics = topic === undefined ? stream.topics : { names: [topic] };
    const format = stream.format ?? (stream.file === undefined ? byDefault : formatOfFile(stream.file));
    return [name, { ...stream, name, topic, topics, format }];
  });
  return {
    ...parsed,
    written: { streams: sectionsOf(tree.streams), sinks: sectionsOf(tree.sinks) },
    data: { directory: resolve(cwd, parsed.data.directory) },
    streams: Object.fromEntries(streams),
    demo: { ...parsed.demo, enabled: parsed.demo.enabled ?? parsed.kafka.brokers === undefined },
  };
}

const sectionsOf = (tree: unknown): Readonly<Record<string, Tree>> =>
  Object.fromEntries(
    Object.entries(isTree(tree) ? tree : {}).filter((entry): entry is [string, Tree] => isTree(entry[1])),
  );

function formatOfFile(file: string): RecordFormat {
  if (/\.(ndjson|jsonl|json)$/i.test(file)) return 'ndjson';
  if (/\.(csv|tsv)$/i.test(file)) return 'csv';
  return /\.(parquet|pq)$/i.test(file) ? 'parquet' : 'avro';
}
