import { MemoryLog } from '../../runtime/memory/memory-log.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { LogProducer, OutgoingRecord } from '../../runtime/ports/log.js';
import { DemoStream, type DemoStreamOptions, demoPosition } from './demo-stream.js';
import type { DemoTransaction } from './demo-transaction.js';

const START = Date.UTC(2026, 0, 15, 9);

/** A clock that moves only when told; timers fire on the way, each followed by the promises that it set off. */
class ManualClock implements Clock {
  private time = START;
  private timers: { readonly at: number; readonly callback: () => void }[] = [];

  now(): number {
    return this.time;
  }

  schedule(ms: number, callback: () => void): () => void {
    const timer = { at: this.time + ms, callback };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  pending(): number {
    return this.timers.length;
  }

  async advance(ms: number): Promise<void> {
    const until = this.time + ms;
    for (;;) {
      await settled();
      const next = [...this.timers].sort((a, b) => a.at - b.at).find(({ at }) => at <= until);
      if (next === undefined) {
        break;
      }
      this.timers = this.timers.filter((other) => other !== next);
      this.time = Math.max(this.time, next.at);
      next.callback();
    }
    this.time = until;
  }

  /** Time passes, but timers are late: the process was stopped. */
  stall(ms: number): void {
    this.time += ms;
  }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 10; i += 1) {
    await Promise.resolve();
  }
}

class RecordingProducer implements LogProducer {
  readonly records: OutgoingRecord[] = [];
  readonly attempts: (readonly OutgoingRecord[])[] = [];
  failWith: Error | null = null;
  hang = false;

  async send(records: readonly OutgoingRecord[]): Promise<void> {
    this.attempts.push(records);
    if (this.hang) {
      await new Promise<void>(() => undefined);
    }
    if (this.failWith !== null) {
      throw this.failWith;
    }
    this.records.push(...records);
  }

  async close(): Promise<void> {
    throw new Error('the producer is not the stream’s to close');
  }
}

function stream(options: Partial<DemoStreamOptions> = {}) {
  const clock = new ManualClock();
  const producer = new RecordingProducer();
  const encode = (transaction: DemoTransaction) => new TextEncoder().encode(JSON.stringify(transaction));
  const demo = new DemoStream({ producer, clock, topic: 'transactions', encode, seed: 1, position: 0, ...options });
  return { clock, producer, demo };
}

function transactionOf(record: OutgoingRecord): DemoTransaction {
  return JSON.parse(new TextDecoder().decode(record.value ?? new Uint8Array())) as DemoTransaction;
}

describe('DemoStream', () => {
  it.each([1, 50, 300, 700])('keeps its rate of %i a second without drift', async (ratePerSecond) => {
    const { clock, producer, demo } = stream({ ratePerSecond });
    demo.start();
    await clock.advance(10_000);
    await demo.stop();
    const due = Array.from({ length: ratePerSecond * 10 + 1 }, (_unused, n) => {
      return START + Math.floor((n * 1_000) / ratePerSecond);
    });
    const sentAt = producer.records.map(({ timestamp }) => timestamp);
    expect(sentAt).toEqual(due.slice(0, sentAt.length));
    expect(due.length - sentAt.length).toBeLessThanOrEqual(ratePerSecond / 25);
  });

  it('keys records by account and gives each a trace context of its own', async () => {
    const { clock, producer, demo } = stream();
    demo.start();
    await clock.advance(2_000);
    const parents = producer.records.map((record) => new TextDecoder().decode(record.headers?.get('traceparent')));
    expect(new Set(parents).size).toBe(parents.length);
    for (const record of producer.records) {
      expect(new TextDecoder().decode(record.key ?? undefined)).toBe(transactionOf(record).accountId);
      expect(record.topic).toBe('transactions');
    }
    for (const parent of parents) {
      expect(parent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    }
  });

  it('catches up after a short stall, and skips what is too old after a long one', async () => {
    const { clock, producer, demo } = stream({ catchUpMaxMs: 2_000 });
    demo.start();
    await clock.advance(1_000);
    clock.stall(1_500);
    await clock.advance(500);
    expect(demo.status()).toMatchObject({ skipped: 0, sent: 151 });
    clock.stall(60_000);
    await clock.advance(1_000);
    const { sent, skipped } = demo.status();
    expect(sent + skipped).toBe(64 * 50 + 1);
    expect(Math.abs(skipped - 58 * 50)).toBeLessThanOrEqual(2);
    expect(producer.records.length).toBe(sent);
  });

  it('sends a batch that failed again, in order and with the same bytes, and tells the trouble', async () => {
    const troubles: (string | null)[] = [];
    const { clock, producer, demo } = stream({ onTrouble: (trouble) => troubles.push(trouble) });
    demo.start();
    await clock.advance(1_000);
    producer.failWith = new Error('broker away');
    await clock.advance(1_000);
    expect(demo.status()).toMatchObject({ state: 'running', trouble: 'broker away' });
    const failed = producer.attempts.at(-1);
    producer.failWith = null;
    await clock.advance(5_000);
    expect(demo.status().trouble).toBeNull();
    expect(troubles).toEqual(['broker away', null]);
    expect(producer.records).toEqual(expect.arrayContaining([...(failed ?? [])]));
    const ids = producer.records.map((record) => transactionOf(record).transactionId);
    expect(ids).toEqual(ids.map((_unused, n) => `demo-0-${n}`));
  });

  it('tries less and less often while the log is away, but at least every five seconds', async () => {
    const { clock, producer, demo } = stream();
    producer.failWith = new Error('broker away');
    demo.start();
    await clock.advance(60_000);
    expect(producer.attempts.length).toBeGreaterThanOrEqual(12);
    expect(producer.attempts.length).toBeLessThanOrEqual(18);
  });

  it('fails for good, with the reason, when a transaction cannot be encoded', async () => {
    const { clock, demo } = stream({
      encode: () => {
        throw new Error('no such field');
      },
    });
    demo.start();
    await clock.advance(1_000);
    await demo.stop();
    expect(demo.status()).toMatchObject({ state: 'failed', sent: 0, trouble: 'no such field' });
    expect(clock.pending()).toBe(0);
  });

  it('stops: nothing is written afterwards and no timer is left', async () => {
    const { clock, producer, demo } = stream();
    demo.start();
    await clock.advance(1_000);
    await demo.stop();
    const written = producer.records.length;
    await clock.advance(5_000);
    expect(producer.records.length).toBe(written);
    expect(clock.pending()).toBe(0);
    expect(demo.status().state).toBe('stopped');
    expect(() => demo.start()).toThrow('a demo stream starts once; this one is stopped');
  });

  it('does not wait for ever for a log that does not answer', async () => {
    const { clock, producer, demo } = stream();
    producer.hang = true;
    demo.start();
    const stopped = demo.stop();
    await clock.advance(2_000);
    await expect(stopped).resolves.toBeUndefined();
  });

  it('refuses a rate that is not above 0', () => {
    expect(() => stream({ ratePerSecond: 0 })).toThrow('ratePerSecond must be above 0, not 0');
  });
});

describe('demoPosition', () => {
  it('counts all records that were ever written, so that a restart repeats no id', async () => {
    const log = new MemoryLog();
    expect(await demoPosition(log, 'transactions')).toBe(0);
    await log.createTopic({ name: 'transactions', partitions: 3 });
    const ids: string[] = [];
    for (const restart of [0, 1, 2]) {
      const position = await demoPosition(log, 'transactions');
      expect(position).toBe(restart * 51);
      const { clock, producer, demo } = stream({ position });
      demo.start();
      await clock.advance(1_000);
      await demo.stop();
      ids.push(...producer.records.map((record) => transactionOf(record).transactionId));
      await (await log.producer()).send(producer.records);
    }
    expect(new Set(ids).size).toBe(ids.length);
  });
});
