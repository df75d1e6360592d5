import { loadSettings } from '../../../runtime/settings/index.js';
import { withDefaults } from './options.js';

/** How often brokers look for transactions that are open for too long: their default of `transaction.abort.timed.out.transaction.cleanup.interval.ms`. */
const LOOKS_EVERY_MS = 10_000;

describe('the defaults of Kafka', () => {
  const { sessionTimeoutMs, transactionTimeoutMs } = withDefaults({ brokers: [], clientId: 'spec' });

  it('have a transaction that a dead process left open ended by the time others get its partitions', () => {
    expect(transactionTimeoutMs + LOOKS_EVERY_MS).toBeLessThanOrEqual(sessionTimeoutMs);
  });

  it('have the time of a transaction that the settings have', () => {
    const loaded = loadSettings({ env: {}, cwd: import.meta.dirname });
    expect(loaded).toMatchObject({ settings: { kafka: { transactionTimeout: transactionTimeoutMs } } });
  });
});
