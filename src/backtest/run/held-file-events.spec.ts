import { Noted } from '../../runtime/task/noted.js';
import { FileEvent } from './file-event.js';
import { HeldFileEvents } from './held-file-events.js';

const eventOf = (fields: Readonly<Record<string, unknown>>, more: Partial<FileEvent> = {}): FileEvent => {
  const of = { time: 5, kind: '', offset: 9, stream: 'payments', place: null, ...more };
  const event = FileEvent.ofKept({ ...of, fields }, more.keptBytes ?? null);
  event.seq = 77;
  return event;
};

function readBack(held: HeldFileEvents, event: FileEvent, noted: Noted | null = null): FileEvent {
  const length = held.write(event, noted?.values ?? []);
  expect(length).toBeGreaterThan(0);
  // As it lies among others.
  const bytes = new Uint8Array([1, 2, ...held.written.subarray(0, length), 3]).subarray(2, 2 + length);
  return held.read({ time: event.time, seq: event.seq, offset: event.offset, bytes }, noted?.ids ?? []);
}

const whole = ({ time, seq, kind, offset, stream, place, fields, keptBytes, noted }: FileEvent) => ({
  ...{ time, seq, kind, offset, stream, place, fields, keptBytes, noted },
});

describe('HeldFileEvents', () => {
  it.each<[string, FileEvent]>([
    [
      'numbers',
      eventOf({ a: 1, b: -1, c: 2 ** 31, d: 0.1, e: -0, f: Number.NaN, g: Number.POSITIVE_INFINITY, h: 2 ** 53 }),
    ],
    ['texts', eventOf({ a: '', b: 'plain', c: 'Zürich', d: '東京 \ud800', e: 'x'.repeat(5000) })],
    ['what is missing', eventOf({ a: null, b: undefined, c: true, d: false })],
    ['no fields', eventOf({})],
    ['a record', eventOf({ a: 1 }, { keptBytes: '\u0000\u00ff~record' })],
    ['a kind, in a topic', eventOf({ a: 1 }, { kind: 'Withdrawal', place: { topic: 't', partition: 3, offset: 9 } })],
  ])('reads %s as it was written', (_, event) => {
    expect(whole(readBack(new HeldFileEvents(), event))).toEqual(whole(event));
  });

  it.each([3, 1000])('takes the %i bytes of a record from its batch', (length) => {
    const raw = Buffer.alloc(length, '~\u00ff');
    const batch = {
      raw: () => raw,
      rawLength: () => length,
      copyRaw: (_: number, into: Uint8Array, at: number) => into.set(raw, at),
    };
    const event = new FileEvent(
      5,
      '',
      { a: 1 },
      { rows: [], first: 0, mark: [], bytesRead: 0, ...batch },
      0,
      9,
      'payments',
      null,
    );
    expect(readBack(new HeldFileEvents(), event).keptBytes).toBe(raw.toString('latin1'));
  });

  it('tells events of several streams and forms apart, with what was noted', () => {
    const held = new HeldFileEvents();
    const noted = new Noted([11, 12], [3, null]);
    for (let round = 0; round < 3; round++) {
      for (const event of [eventOf({ a: 1 }), eventOf({ b: 'x', a: 2 }), eventOf({ a: 3 }, { stream: 'logins' })]) {
        event.noted = noted;
        expect(whole(readBack(held, event, noted))).toEqual(whole(event));
      }
    }
  });

  it('writes no event with a value of another type, nor ever more forms', () => {
    const held = new HeldFileEvents();
    expect(held.write(eventOf({ a: [1] }), [])).toBe(-1);
    const forms = Array.from({ length: 300 }, (_, i) => held.write(eventOf({ [`f${i}`]: 1 }), []));
    expect([forms[0]! > 0, forms.at(-1)]).toEqual([true, -1]);
  });
});
