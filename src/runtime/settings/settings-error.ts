/** One thing that is wrong with the settings. All of them are reported together. */
export interface SettingsError {
  readonly code:
    | 'SETTINGS_FILE_UNREADABLE'
    | 'SETTINGS_FILE_SYNTAX'
    | 'SETTINGS_UNKNOWN'
    | 'SETTINGS_INVALID'
    | 'SETTINGS_CONFLICT';
  /** Where: `streams.transactions.outOfOrderness`; empty for the file itself. */
  readonly path: string;
  /** The environment variable that the value came from. */
  readonly env?: string;
  readonly file?: string;
  /** Line in the file, from 1. */
  readonly line?: number;
  readonly expected: string;
  /** What was there instead; never the value of a secret. */
  readonly got: string;
  /** The nearest name, or what to do. */
  readonly hint?: string;
}

/** One line for people: place, what was expected, what was there. */
export function formatSettingsError(error: SettingsError): string {
  const file = error.file === undefined ? '' : `${error.file}${error.line === undefined ? '' : `:${error.line}`}: `;
  const name = error.env ?? error.path;
  const hint = error.hint === undefined ? '' : `; ${error.hint}`;
  return `${file}${name === '' ? '' : `${name}: `}expected ${error.expected}, got ${error.got}${hint}`;
}
