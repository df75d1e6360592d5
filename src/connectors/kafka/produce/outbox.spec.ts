import { Reader, readRecordsBatch } from '@platformatic/kafka';
import type { ProducerIdentity } from '../client/producer-identity.js';
import { type Batch, PartitionQueue, Ticket } from './outbox.js';

const FIRST: ProducerIdentity = { producerId: 1n, epoch: 0 };
const SECOND: ProducerIdentity = { producerId: 2n, epoch: 0 };

const head = (batch: Batch | null) => {
  if (batch === null) return null;
  const { producerId, firstSequence, records } = readRecordsBatch(Reader.from(batch.bytes));
  return { producerId, firstSequence, values: records.map((r) => String(r.value)) };
};

const push = (queue: PartitionQueue, ...values: string[]): Ticket => {
  const ticket = new Ticket(values.length);
  for (const value of values) queue.push({ topic: 't', key: null, value: Buffer.from(value) }, ticket, 0);
  return ticket;
};

/** As the producer does: takes the next batch and puts it into a request. */
const send = (queue: PartitionQueue, identity = FIRST): Batch | null => {
  const batch = queue.next(identity);
  if (batch !== null) {
    batch.sent = true;
    batch.attempts++;
  }
  return batch;
};

describe('the queue of a partition', () => {
  let queue: PartitionQueue;

  beforeEach(() => {
    queue = new PartitionQueue('t', 0, 1_000);
  });

  it('has one batch under way, and makes the next of all that came meanwhile', async () => {
    const first = push(queue, 'a', 'b');
    expect(head(send(queue))).toMatchObject({ firstSequence: 0, values: ['a', 'b'] });
    const second = push(queue, 'c');
    push(queue, 'd');
    expect(queue.next(FIRST)).toBeNull();
    queue.written();
    await first.done;
    expect(head(send(queue))).toMatchObject({ firstSequence: 2, values: ['c', 'd'] });
    queue.written();
    await second.done;
    expect(queue.idle).toBe(true);
  });

  it('repeats a batch byte for byte, even when the producer has another identity by now', () => {
    push(queue, 'a');
    const batch = send(queue);
    const bytes = Buffer.from(batch?.bytes ?? []);
    push(queue, 'b');
    if (batch !== null) batch.sent = false;
    expect(queue.next(SECOND)).toBe(batch);
    expect(batch?.bytes.equals(bytes)).toBe(true);
    queue.written();
    expect(head(send(queue, SECOND))).toMatchObject({ producerId: 1n, firstSequence: 1 });
  });

  it('uses the numbers of a refused batch again when it was surely not written', async () => {
    const refused = push(queue, 'a', 'b');
    send(queue);
    expect(queue.refused(new Error('no'))).toBe(true);
    await expect(refused.done).rejects.toThrow('no');
    push(queue, 'c');
    expect(head(send(queue))).toMatchObject({ producerId: 1n, firstSequence: 0 });
  });

  it('asks for a new identity when a refused batch may have been written by an attempt before', async () => {
    const refused = push(queue, 'a');
    const batch = send(queue);
    if (batch !== null) batch.sent = false;
    send(queue);
    expect(queue.refused(new Error('no'))).toBe(false);
    await expect(refused.done).rejects.toThrow('no');
    push(queue, 'b');
    expect(head(send(queue, SECOND))).toMatchObject({ producerId: 2n, firstSequence: 0 });
  });

  it('sends the same records under a new identity when the broker has forgotten the old one', () => {
    push(queue, 'a');
    send(queue);
    push(queue, 'b');
    queue.renumber();
    expect(head(send(queue, SECOND))).toEqual({ producerId: 2n, firstSequence: 0, values: ['a', 'b'] });
  });

  it('splits a batch in two, in order, down to single records', () => {
    push(queue, 'a', 'b', 'c', 'd');
    send(queue);
    expect(queue.split()).toBe(true);
    expect(head(send(queue))?.values).toEqual(['a', 'b']);
    expect(queue.split()).toBe(true);
    expect(head(send(queue))).toMatchObject({ firstSequence: 0, values: ['a'] });
    expect(queue.split()).toBe(false);
    queue.written();
    expect(head(send(queue))).toMatchObject({ firstSequence: 1, values: ['b'] });
  });

  it('keeps a batch within its bytes, and a larger record alone', () => {
    push(queue, 'x'.repeat(400), 'y'.repeat(400), 'z'.repeat(5_000), 'w');
    expect(head(send(queue))?.values).toHaveLength(2);
    queue.written();
    expect(head(send(queue))?.values).toEqual(['z'.repeat(5_000)]);
  });
});
