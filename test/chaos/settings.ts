/** Topics and settings of a run. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { routeTopic } from '../../src/runtime/repartition/route.js';

export const TOPIC = 'transactions';
export const ROUTED = routeTopic(TOPIC, 'deviceId');
/** Where features by device are counted, and where the rule of accounts that reads them runs. */
export const COUNTED = routeTopic(`${TOPIC}-features`, 'deviceId');
export const TOLD = routeTopic(COUNTED, 'accountId');
/** What detection reads; of each as many partitions. */
export const READ = [TOPIC, ROUTED, COUNTED, TOLD];
export const ALERTS = 'alerts';
export const LATE = 'late';
export const GROUP = 'chaos';
export const PARTITIONS = 4;

export type Delivery = 'exactly-once' | 'at-least-once';

export interface SettingsOptions {
  readonly folder: string;
  readonly home: string;
  readonly name: string;
  readonly brokers: readonly string[];
  readonly delivery: Delivery;
  /** A name towards the transaction coordinator that stays the same over restarts. */
  readonly isNamed: boolean;
}

export const checkpointsFolder = (folder: string): string => join(folder, 'checkpoints');

/** Writes the settings of one service. Returns their file. */
export function writeSettings(options: SettingsOptions): string {
  const { folder, home, name, brokers, delivery, isNamed } = options;
  mkdirSync(checkpointsFolder(folder), { recursive: true });
  const file = join(folder, `${name}.yaml`);
  writeFileSync(
    file,
    `name: ${name}
patterns: ${join(import.meta.dirname, 'patterns')}
kafka:
  brokers: ['${brokers.join("', '")}']
  clientId: ${name}
  groupId: ${GROUP}
${isNamed ? `  transactionalId: chaos-${name}\n` : ''}streams:
  transactions:
    topic: ${TOPIC}
    partitions: ${PARTITIONS}
    schema: ${join(home, 'schemas/transaction.avsc')}
    key: accountId
    time: eventTime
    id: transactionId
    type: type
    outOfOrderness: 1s
lanes: 1
delivery: ${delivery}
alerts: { topic: ${ALERTS}, partitions: ${PARTITIONS} }
deadLetters: { topic: dead-letters }
late: { topic: ${LATE} }
journal: { topic: journal }
snapshot: { interval: 2s }
checkpoint: { to: directory, directory: ${checkpointsFolder(folder)}, interval: 5s, minPause: 1s }
http: { port: 0 }
data: { directory: ${join(folder, `data-${name}`)} }
log: { level: debug, format: json }
`,
  );
  return file;
}
