import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { streamSchema } from '../../src/connectors/avro/stream-schema.js';
import type { TestStream } from '../../src/rules/index.js';
import { formatSettingsError, loadSettings } from '../../src/runtime/settings/index.js';

/** The streams of the example that a rule belongs to; of the shipped patterns those of the settings as they are by default. */
export function streamsOfFile(file: string): readonly (TestStream & { readonly name: string })[] {
  const config = join(file, '../../../stakeout.yaml');
  const loaded = loadSettings(existsSync(config) ? { file: config, env: {} } : { env: {} });
  if ('errors' in loaded) throw new Error(loaded.errors.map(formatSettingsError).join('\n'));
  return Object.values(loaded.settings.streams).map((stream) => {
    const { name, id, time, type } = stream;
    return { name, schema: streamSchema(stream)?.events ?? null, idField: id, timeField: time, typeField: type };
  });
}
