import { AlertCodec } from '../../src/connectors/avro/alert-codec.js';
import type { Log } from '../../src/runtime/ports/log.js';

/** Follows the alerts topic, committed alerts alone, and tells of those of one pattern by the id of their first event. */
export class AlertReader {
  private readonly stopping = new AbortController();
  private readonly readers: readonly Promise<void>[];
  private readonly codec = new AlertCodec();

  /** `onAlert`: `at` is this process' `performance.now()` when the alert could be read. `from`: offsets of the partitions to begin at, else the first. */
  constructor(
    private readonly log: Log,
    partitions: number,
    private readonly pattern: string,
    private readonly onAlert: (eventId: string, at: number) => void,
    from: readonly number[] = [],
  ) {
    this.readers = Array.from({ length: partitions }, (_, partition) => this.follow(partition, from[partition] ?? 0));
  }

  /** Throws what made reading end, if something did. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.readers);
  }

  private async follow(partition: number, from: number): Promise<void> {
    const { signal } = this.stopping;
    try {
      for await (const batch of this.log.read({ topic: 'alerts', partition }, from, { follow: true, signal })) {
        const at = performance.now();
        for (const record of batch.records) {
          const alert = this.codec.decode(record.value!);
          if (alert.patternId === this.pattern) this.onAlert(alert.steps[0]!.events[0]!.id, at);
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
