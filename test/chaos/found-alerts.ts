import type { Log } from '../../src/runtime/ports/log.js';
import { AlertTopicCodec } from '../../src/service/compose/alert-topic-codec.js';

/** What is on the alerts topic for readers of committed records. */
export class FoundAlerts {
  /** How often each is there, by `pattern/key`. */
  readonly counts = new Map<string, number>();
  /** Alerts that are there again under the same id. */
  repeats = 0;
  /** `pattern/key`s that are there under several ids. */
  readonly otherIds: string[] = [];
  private readonly ids = new Map<string, string>();
  private readonly positions = new Map<number, number>();
  private readonly codec: AlertTopicCodec;

  constructor(
    private readonly log: Log,
    private readonly topic: string,
  ) {
    this.codec = new AlertTopicCodec(null, topic);
  }

  /** Takes in all that is there by now. */
  async read(): Promise<void> {
    const partitions = (await this.log.topics()).find(({ name }) => name === this.topic)?.partitions ?? 0;
    for (let partition = 0; partition < partitions; partition++) {
      const at = { topic: this.topic, partition };
      for await (const batch of this.log.read(at, this.positions.get(partition) ?? 0)) {
        for (const { value } of batch.records) if (value !== null) this.take(value);
        this.positions.set(partition, batch.nextOffset);
      }
    }
  }

  missingOf(expected: readonly string[]): readonly string[] {
    return expected.filter((alert) => !this.counts.has(alert));
  }

  unexpectedBeside(expected: readonly string[]): readonly string[] {
    const known = new Set(expected);
    return [...this.counts.keys()].filter((alert) => !known.has(alert));
  }

  private take(value: Uint8Array): void {
    const { id, patternId, key } = this.codec.decode(value);
    const alert = `${patternId}/${key}`;
    this.counts.set(alert, (this.counts.get(alert) ?? 0) + 1);
    const before = this.ids.get(alert);
    if (before === id) this.repeats++;
    else if (before !== undefined) this.otherIds.push(alert);
    this.ids.set(alert, id);
  }
}
