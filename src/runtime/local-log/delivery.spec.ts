import { Gate } from '../../../test/harness/recording-listener.js';
import { until } from '../../../test/harness/until.js';
import { Delivery } from './delivery.js';
import type { PartitionStorage, StoredRecords } from './storage.js';

/** One record at each offset below `end`; a read waits for the gate. */
class SlowStorage implements PartitionStorage {
  readonly begin = 0;
  readonly end = 3;
  reads = 0;
  gate = new Gate();

  async append(): Promise<void> {}

  async read(from: number): Promise<StoredRecords> {
    this.reads++;
    await this.gate.passed;
    const record = { offset: from, timestamp: 0, key: null, value: null, headers: null };
    return { records: [record], nextOffset: from + 1 };
  }

  async offsetAt(): Promise<number> {
    return 0;
  }

  subscribe(): () => void {
    return () => {};
  }
}

describe('a delivery', () => {
  const start = (storage: SlowStorage) => {
    const offsets: number[] = [];
    const delivery = new Delivery(
      { topic: 't', partition: 0 },
      storage,
      0,
      false,
      (batch) => void offsets.push(...batch.records.map((r) => r.offset)),
      (error) => {
        throw error;
      },
    );
    delivery.start();
    return { delivery, offsets };
  };

  it('holds back what was being read when it was paused, and reads it again when resumed', async () => {
    const storage = new SlowStorage();
    const { delivery, offsets } = start(storage);
    await until(() => storage.reads === 1, 'the first read');
    delivery.pause();
    storage.gate.open();
    await new Promise((resolve) => setImmediate(resolve));
    expect(offsets).toEqual([]);
    delivery.resume();
    await until(() => offsets.length === 3, 'all records');
    expect(offsets).toEqual([0, 1, 2]);
    delivery.stop();
  });

  it('drops what was being read when it was stopped', async () => {
    const storage = new SlowStorage();
    const { delivery, offsets } = start(storage);
    await until(() => storage.reads === 1, 'the first read');
    delivery.stop();
    storage.gate.open();
    await new Promise((resolve) => setImmediate(resolve));
    expect(offsets).toEqual([]);
    expect(storage.reads).toBe(1);
  });
});
