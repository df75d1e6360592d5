import type { Log, LogRecord } from '../../../src/runtime/ports/log.js';

export interface TopicRecord extends LogRecord {
  readonly partition: number;
}

/** All records of a topic, read on from where the call before ended. */
export class TopicReader {
  readonly records: TopicRecord[] = [];
  private readonly positions = new Map<number, number>();

  constructor(
    private readonly log: Log,
    private readonly topic: string,
  ) {}

  /** Everything that is on the topic by now. */
  async read(): Promise<readonly TopicRecord[]> {
    const { topic } = this;
    const partitions = (await this.log.topics()).find(({ name }) => name === topic)?.partitions ?? 0;
    for (let partition = 0; partition < partitions; partition++) {
      const from = this.positions.get(partition) ?? 0;
      const { end } = await this.log.offsets({ topic, partition });
      if (end <= from) continue;
      for await (const batch of this.log.read({ topic, partition }, from, { to: end })) {
        this.records.push(...batch.records.map((record) => ({ ...record, partition })));
        this.positions.set(partition, batch.nextOffset);
      }
    }
    return this.records;
  }
}
