export { type AccessSettings, mustLogIn, ROLES, type Role } from './access.js';
export {
  type LoadOptions,
  loadSettings,
  type RecordFormat,
  type RegisteredStream,
  type Settings,
  type SettingsOverrides,
  type StreamSettings,
} from './load.js';
export { NamedFileError, readTlsFiles } from './named-file.js';
export { shippedPatterns, shippedSchema } from './schema.js';
export { formatSettingsError, type SettingsError } from './settings-error.js';
export type { SinkSettings, SinkType } from './sinks.js';
export { isFed } from './table.js';
