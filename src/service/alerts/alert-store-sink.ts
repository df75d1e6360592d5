import type { Stores } from '../../connectors/alert-store/stores.js';
import type { AlertKind, AlertStore } from '../../runtime/ports/alert-store.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { AlertSink } from '../../runtime/sinks/alert-sink.js';
import type { BackgroundPart } from '../parts.js';

/** Fills the store from the topics of alerts, beside detection. The store is closed by whoever made it. */
export const alertStoreSink = (store: AlertStore, kind: AlertKind, clock: Clock): AlertSink => ({
  name: kind === 'live' ? 'alert-store' : 'alert-store-shadow',
  write: (alerts) => store.add(alerts, kind, clock.now()),
  close: async () => undefined,
});

/** Often enough that what is kept too long is little of it. */
const PRUNE_MS = 600_000;
/** Who changed what is asked for longer than alerts. */
const AUDIT_MS = 365 * 86_400_000;
const REPLIES_MS = 86_400_000;

export interface AlertRetentionOptions {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly retentionMs: number;
  readonly alertsMax: number;
  readonly warn: (text: string, trouble: Error) => void;
}

/** Forgets alerts that are old, or too many, now and then. */
export function alertRetention({ stores, clock, retentionMs, alertsMax, warn }: AlertRetentionOptions): BackgroundPart {
  let cancel = (): void => undefined;
  let working: Promise<void> = Promise.resolve();
  let stopped = false;
  const prune = async (): Promise<void> => {
    try {
      const { alerts, audit, replies } = stores;
      const now = clock.now();
      await alerts.open();
      await alerts.prune(now - retentionMs, alertsMax);
      await audit.prune(now - Math.max(retentionMs, AUDIT_MS));
      await replies.prune(now - REPLIES_MS);
    } catch (error) {
      warn('alerts that are too old could not be forgotten; tried again later', error as Error);
    }
    if (!stopped) cancel = clock.schedule(PRUNE_MS, again);
  };
  const again = (): void => {
    working = prune();
  };
  return {
    name: 'retention of alerts',
    start: async () => again(),
    stop: async () => {
      stopped = true;
      cancel();
      await working;
    },
  };
}
