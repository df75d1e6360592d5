import type { Rule } from '../rules/rule.js';
import type { Alert } from '../runtime/ports/alert.js';
import type { LogReader } from '../runtime/ports/log.js';
import type { AlertDecoder } from '../runtime/sinks/alert-sink.js';
import { AlertDigest } from './digest.js';
import type { Protocol } from './protocol.js';

/** What a service has committed over the same range with the same rules, beside what the back-test found. */
export interface Parity {
  readonly equal: boolean;
  readonly live: string;
  readonly replayed: string;
  /** Each counted once, however often it is on the topic. */
  readonly alertsLive: number;
  readonly alertsReplayed: number;
}

export interface ParityOptions {
  readonly log: LogReader;
  readonly alertsTopic: string;
  readonly decoder: AlertDecoder;
  readonly rules: readonly Rule[];
  readonly protocol: Protocol;
  readonly replayed: { readonly digest: string; readonly alerts: number };
}

/**
 * Compares the alerts of the back-test with those on the alerts topic that were complete in the range and come from these rules in these
 * revisions. `null`: there is no such alert, so there is nothing to compare with.
 */
export async function parity(options: ParityOptions): Promise<Parity | null> {
  const { rules, protocol, replayed } = options;
  const revisions = new Map(rules.map((rule) => [rule.id, rule.revision]));
  const seen = new Set<string>();
  const digest = new AlertDigest();
  for await (const alert of alertsOn(options)) {
    if (revisions.get(alert.patternId) !== alert.revision || seen.has(alert.id)) continue;
    if (alert.detectedAt < protocol.from || alert.detectedAt >= protocol.to) continue;
    seen.add(alert.id);
    digest.add(alert);
  }
  if (seen.size === 0) return null;
  const live = digest.hex();
  return {
    equal: live === replayed.digest,
    ...{ live, replayed: replayed.digest, alertsLive: seen.size, alertsReplayed: replayed.alerts },
  };
}

async function* alertsOn({ log, alertsTopic, decoder }: ParityOptions): AsyncIterable<Alert> {
  const partitions = (await log.topics()).find(({ name }) => name === alertsTopic)?.partitions ?? 0;
  for (let partition = 0; partition < partitions; partition++) {
    const at = { topic: alertsTopic, partition };
    const { begin } = await log.offsets(at);
    for await (const { records } of log.read(at, begin)) {
      for (const { value } of records) if (value !== null) yield decoder.decode(value);
    }
  }
}
