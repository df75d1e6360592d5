import { cpSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDuration } from '../../src/runtime/settings/values.js';
import { root } from './service-process.js';

export const TOPIC = 'transactions';
/** An amount that the pattern `marked` fires on, and no other record has. */
export const MARK = 7_777_777;

/** Its condition. */
export const MARKED = `amount == ${MARK}.0`;

export const MARKED_PATTERN = `id: marked
title: A marked record
key: accountId
within: 1s
pattern:
  - begin: marked
    where: ${MARKED}
alert:
  severity: low
  score: 1
  message: "marked"
`;

export interface ConfigParts {
  /** Made. The data folder is in it, unless `settings` names another. */
  readonly folder: string;
  /** The shipped patterns too. */
  readonly shipped: boolean;
  /** No pattern of these waits for longer than this, as `5m`: what longer ones wait is cut to it. Absent: as they are. */
  readonly within?: string | undefined;
  /** Others, as YAML by id. */
  readonly patterns: Readonly<Record<string, string>>;
  readonly partitions: number;
  readonly mode: 'arrival' | 'event-time';
  readonly logLevel: 'warn' | 'debug';
  /** More lines of the settings. */
  readonly settings: readonly string[];
}

/** State is at its full size only after the longest window: in a run of minutes that of a day would only grow. */
function cutWindows(patterns: string, longest: string): void {
  for (const file of globSync(join(patterns, '*', 'pattern.yaml'))) {
    const cut = readFileSync(file, 'utf8').replace(/within: (\w+)/g, (whole, window: string) =>
      parseDuration(window)! > parseDuration(longest)! ? `within: ${longest}` : whole,
    );
    writeFileSync(file, cut);
  }
}

/** Writes the settings and patterns of a service; answers with the settings' file. */
export function writeConfig(parts: ConfigParts): string {
  const { folder, partitions, mode } = parts;
  mkdirSync(join(folder, 'patterns'), { recursive: true });
  if (parts.shipped) cpSync(join(root, 'patterns'), join(folder, 'patterns'), { recursive: true });
  if (parts.within !== undefined) cutWindows(join(folder, 'patterns'), parts.within);
  for (const [id, text] of Object.entries(parts.patterns)) {
    mkdirSync(join(folder, 'patterns', id));
    writeFileSync(join(folder, 'patterns', id, 'pattern.yaml'), text);
  }
  const file = join(folder, 'stakeout.yaml');
  writeFileSync(
    file,
    `patterns: ./patterns
streams:
  ${TOPIC}:
    topic: ${TOPIC}
    schema: ${join(root, 'schemas', 'transaction.avsc')}
    key: accountId
    time: eventTime
    id: transactionId
    type: type
    mode: ${mode}
    partitions: ${partitions}
alerts: { partitions: ${partitions} }
http: { port: 0 }
log: { level: ${parts.logLevel}, format: json }
data: { directory: ./data }
${parts.settings.join('\n')}
`,
  );
  return file;
}
