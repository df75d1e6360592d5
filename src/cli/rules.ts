import { streamSchema } from '../connectors/avro/stream-schema.js';
import { type Diagnostic, type KnownLists, type LoadedRules, loadRules, type RuleStream } from '../rules/index.js';
import type { Settings } from '../runtime/settings/index.js';
import { configFor, settingsOrFail } from './settings.js';

/** What rules are checked against: the streams of the settings, in their order. */
export function streamsOf(settings: Settings): readonly RuleStream[] {
  return Object.values(settings.streams).map((stream) => {
    return { name: stream.name, schema: streamSchema(stream)?.events ?? null };
  });
}

/** The reference lists that the settings name. */
export const listsOf = ({ lists }: Settings): KnownLists =>
  new Map(Object.entries(lists).map(([name, { kind }]) => [name, kind]));

/** Loads rules, each checked against the streams and lists of the config that is given, or of the nearest one. */
export function loadRulesFor(paths: readonly string[], config: string | undefined): Promise<LoadedRules> {
  const known = new Map<string | undefined, Settings>();
  const settingsFor = (file: string): Settings => {
    const nearest = config ?? configFor(file);
    const settings = known.get(nearest) ?? settingsOrFail(nearest);
    known.set(nearest, settings);
    return settings;
  };
  return loadRules(paths, {
    resolveStreams: (file) => streamsOf(settingsFor(file)),
    resolveLists: (file) => listsOf(settingsFor(file)),
  });
}

/** Errors and warnings apart, as the commands report them. */
export function bySeverity(diagnostics: readonly Diagnostic[]): {
  errors: readonly Diagnostic[];
  warnings: readonly Diagnostic[];
} {
  return {
    errors: diagnostics.filter((d) => d.severity === 'error'),
    warnings: diagnostics.filter((d) => d.severity === 'warning'),
  };
}
