import { streamSchema } from '../connectors/avro/stream-schema.js';
import { type Diagnostic, type EventSchema, type LoadedRules, loadRules, mergeSchemas } from '../rules/index.js';
import type { Settings } from '../runtime/settings/index.js';
import { configFor, settingsOrFail } from './settings.js';

/** What rules are checked against: the schemas of all streams of the settings. */
export function schemasOf(settings: Settings): EventSchema | null {
  return mergeSchemas(Object.values(settings.streams).flatMap((stream) => streamSchema(stream)?.events ?? []));
}

/** Loads rules, each checked against the streams of the config that is given, or of the nearest one. */
export function loadRulesFor(paths: readonly string[], config: string | undefined): Promise<LoadedRules> {
  const known = new Map<string | undefined, EventSchema | null>();
  return loadRules(paths, {
    resolveSchema: (file) => {
      const nearest = config ?? configFor(file);
      if (!known.has(nearest)) known.set(nearest, schemasOf(settingsOrFail(nearest)));
      return known.get(nearest)!;
    },
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
