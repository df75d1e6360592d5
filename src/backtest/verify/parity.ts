import type { Rule } from '../../rules/rule.js';
import type { Alert } from '../../runtime/ports/alert.js';
import type { LogReader } from '../../runtime/ports/log.js';
import type { AlertDecoder } from '../../runtime/sinks/alert-sink.js';
import type { ToldAlert } from '../findings/findings.js';
import type { Protocol } from '../plan/protocol.js';
import { AlertDigest, digestOfAlert } from '../run/digest.js';
import type { RunResult } from '../run/run-options.js';

/** What a service has committed over the same range with the same rules, beside what the back-test found. */
export interface Parity {
  readonly equal: boolean;
  readonly live: string;
  readonly replayed: string;
  /** Each counted once, however often it is on the topic. */
  readonly alertsLive: number;
  readonly alertsReplayed: number;
  /** Which differ; `null`: there were too many alerts to keep them. */
  readonly differences: Differences | null;
  /** Alerts that one side alone has, of rules that see several partitions merged, at a time that not all partitions have passed: those are left out. */
  readonly notCompared: number;
  /** What all partitions have passed, in ms of event time; `null`: nothing was left out. */
  readonly comparedUpTo: number | null;
}

export interface Differences {
  /** The service has committed it, and the back-test has not found it. */
  readonly liveAlone: Differing;
  /** The back-test has found it, and the service has not committed it. */
  readonly replayedAlone: Differing;
  /** Both have it, with another key, time, score or message. */
  readonly unlike: Differing;
}

export interface Differing {
  readonly count: number;
  /** The first of them, by time. */
  readonly first: readonly ToldAlert[];
}

export interface ParityOptions {
  readonly log: LogReader;
  readonly alertsTopic: string;
  readonly decoder: AlertDecoder;
  readonly rules: readonly Rule[];
  readonly protocol: Protocol;
  /** `found`: the alerts that the digest is of, or the first of very many. */
  readonly replayed: Pick<RunResult, 'digest' | 'alerts' | 'passedByAll'> & { readonly found: readonly ToldAlert[] };
}

/** So many of a kind are named. */
const NAMED_MAX = 5;

/**
 * Compares the alerts of the back-test with those on the alerts topic that were complete in the range and come from these rules in these
 * revisions. `null`: there is no such alert, so there is nothing to compare with.
 *
 * Of rules that see several partitions merged, an alert that one side alone has counts as a difference up to what all partitions have passed: at
 * the end of a topic a service waits for those that have no new events, and a back-test does not.
 */
export async function parity(options: ParityOptions): Promise<Parity | null> {
  const { digest, alerts, passedByAll, found } = options.replayed;
  const live = await liveAlerts(options);
  if (live.size === 0) return null;
  const isKept = found.length === alerts;
  const limits = isKept ? passedByAll : {};
  const all = new Map(found.map((alert) => [alert.id, alert]));
  const isPassed = ({ patternId, detectedAt }: ToldAlert): boolean => detectedAt <= (limits[patternId] ?? Infinity);
  const ours = new Map([...all].filter(([id, alert]) => isPassed(alert) || live.has(id)));
  const theirs = new Map([...live].filter(([id, alert]) => isPassed(alert) || all.has(id)));
  const replayed = isKept ? digestOf(ours.values()) : digest;
  const liveDigest = digestOf(theirs.values());
  const notCompared = all.size - ours.size + live.size - theirs.size;
  return {
    equal: liveDigest === replayed,
    ...{ live: liveDigest, replayed },
    ...{ alertsLive: theirs.size, alertsReplayed: isKept ? ours.size : alerts },
    differences: isKept ? differences(theirs, ours) : null,
    notCompared: isKept ? notCompared : 0,
    comparedUpTo: isKept && notCompared > 0 ? Math.min(...Object.values(limits)) : null,
  };
}

async function liveAlerts(options: ParityOptions): Promise<ReadonlyMap<string, ToldAlert>> {
  const { rules, protocol } = options;
  const revisions = new Map(rules.map((rule) => [rule.id, rule.revision]));
  const live = new Map<string, ToldAlert>();
  for await (const alert of alertsOn(options)) {
    const { id, patternId, key, detectedAt } = alert;
    if (revisions.get(patternId) !== alert.revision || live.has(id)) continue;
    if (detectedAt < protocol.from || detectedAt >= protocol.to) continue;
    live.set(id, { id, patternId, key, detectedAt, digest: digestOfAlert(alert) });
  }
  return live;
}

type ById = ReadonlyMap<string, ToldAlert>;

function differences(live: ById, replayed: ById): Differences {
  const notIn = (one: ById, other: ById): ToldAlert[] => [...one.values()].filter(({ id }) => !other.has(id));
  const unlike = [...live.values()].filter(({ id, digest }) => (replayed.get(id)?.digest ?? digest) !== digest);
  return {
    liveAlone: differing(notIn(live, replayed)),
    replayedAlone: differing(notIn(replayed, live)),
    unlike: differing(unlike),
  };
}

function differing(alerts: readonly ToldAlert[]): Differing {
  const inOrder = alerts.toSorted((a, b) => a.detectedAt - b.detectedAt || (a.id < b.id ? -1 : 1));
  return { count: alerts.length, first: inOrder.slice(0, NAMED_MAX) };
}

function digestOf(alerts: Iterable<ToldAlert>): string {
  const digest = new AlertDigest();
  for (const alert of alerts) digest.merge(alert.digest);
  return digest.hex();
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
