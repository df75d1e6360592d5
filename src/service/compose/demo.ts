import type { Clock } from '../../runtime/ports/clock.js';
import type { Log } from '../../runtime/ports/log.js';
import type { Settings } from '../../runtime/settings/index.js';
import { DemoStream, demoPosition } from '../demo/demo-stream.js';
import type { BackgroundPart } from '../parts.js';
import type { TransactionIngest } from '../transactions/transaction-ingest.js';

/** The demo stream, written to the stream's topic as `POST /v1/transactions` would write it. */
export function demoPart(
  settings: Settings['demo'],
  log: Log,
  clock: Clock,
  ingest: TransactionIngest,
): BackgroundPart {
  let running: { readonly stream: DemoStream; close(): Promise<void> } | null = null;
  return {
    name: 'demo',
    async start() {
      await ingest.prepare();
      const producer = await log.producer();
      const stream = new DemoStream({
        producer,
        clock,
        topic: ingest.topic,
        seed: settings.seed,
        ratePerSecond: settings.rate,
        position: await demoPosition(log, ingest.topic),
        encode: (transaction) => encoded(ingest, transaction),
      });
      running = { stream, close: () => producer.close() };
      stream.start();
    },
    async stop() {
      await running?.stream.stop();
      await running?.close();
    },
  };
}

function encoded(ingest: TransactionIngest, transaction: unknown): Uint8Array {
  const result = ingest.encode(transaction);
  if (result.ok) return result.transaction.value;
  const [problem] = result.problems;
  throw new Error(
    `the demo's transactions do not fit the stream's schema: ${problem!.path} should be ${problem!.expected}`,
  );
}
