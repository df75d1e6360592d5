import type { DetectorStatus } from '../../runtime/detector.js';
import { ManualClock } from '../../runtime/testing/manual-clock.js';
import { anAlert } from '../testing/an-alert.js';
import { EventSender, WAITING_MAX } from './event-sender.js';
import { type FromLane, STATUS_INTERVAL_MS, TOLD_AHEAD, TOLD_EVENTS } from './messages.js';
import { emptyStatus } from './sum-statuses.js';

type Told = Extract<FromLane, { kind: 'told' }>;

function setUp() {
  const clock = new ManualClock();
  const told: Told[] = [];
  const turns: (() => void)[] = [];
  let status: DetectorStatus = emptyStatus('running');
  const sender = new EventSender({
    send: (message) => told.push(message as Told),
    status: () => status,
    clock,
    soon: (callback) => void turns.push(callback),
  });
  return {
    ...{ clock, told, sender },
    turn: () => {
      for (const callback of turns.splice(0)) callback();
    },
    statusIs: (next: DetectorStatus) => {
      status = next;
    },
    events: () => told.flatMap(({ events }) => events),
  };
}

const from = { topic: 't', partition: 0 };

describe('EventSender', () => {
  it('tells events in the order they happened, those of one turn in one message', () => {
    const { sender, told, turn, events } = setUp();
    sender.listener.onBatch(10, 0.5);
    sender.listener.onAlert(anAlert({ id: 'a' }), 'trace');
    sender.listener.onDeadLetter(from, 7, 'malformed', 'odd');
    sender.report('something happened');
    expect(told).toEqual([]);
    turn();
    expect(told).toHaveLength(1);
    expect(events()).toEqual([
      ['onBatch', 10, 0.5],
      ['onAlert', anAlert({ id: 'a' }), 'trace'],
      ['onDeadLetter', from, 7, 'malformed', 'odd'],
      ['report', 'something happened'],
    ]);
  });

  it('lets what only metrics want wait for the next status', () => {
    const { sender, clock, told, turn } = setUp();
    sender.start();
    sender.listener.onBatch(10, 0.5);
    sender.listener.onCommit(0.1, true);
    turn();
    expect(told).toEqual([]);
    clock.advance(STATUS_INTERVAL_MS);
    expect(told).toEqual([
      {
        kind: 'told',
        events: [
          ['onBatch', 10, 0.5],
          ['onCommit', 0.1, true],
        ],
        status: emptyStatus('running'),
      },
    ]);
  });

  it('tells the status with every change of phase or partitions, after all events before it', () => {
    const { sender, told, turn, statusIs } = setUp();
    for (let i = 0; i < TOLD_EVENTS; i++) sender.listener.onCommit(i, true);
    statusIs({ ...emptyStatus('degraded'), trouble: 'away' });
    sender.listener.onPhase('degraded', 'away');
    sender.listener.onPartitions([{ ...from, more: 1 } as typeof from], 'live');
    turn();
    expect(told.map(({ events, status }) => [events.length, status?.phase ?? null])).toEqual([
      [TOLD_EVENTS, null],
      [2, 'degraded'],
    ]);
    expect(told[1]!.events[1]).toEqual(['onPartitions', [from], 'live']);
  });

  it('waits for a main thread that is slow, and goes on where it was', () => {
    const { sender, told, turn, events } = setUp();
    const all = (TOLD_AHEAD + 2) * TOLD_EVENTS;
    for (let i = 0; i < all; i++) sender.listener.onCommit(i, true);
    turn();
    expect(told).toHaveLength(TOLD_AHEAD);
    sender.heard();
    sender.heard();
    expect(events().map(([, seconds]) => seconds)).toEqual(Array.from({ length: all }, (_, i) => i));
  });

  it('drops and counts events beyond its bound, but no change of phase or partitions', () => {
    const { sender, told, turn, events } = setUp();
    const all = TOLD_AHEAD * TOLD_EVENTS + WAITING_MAX + 5;
    for (let i = 0; i < all; i++) {
      sender.listener.onCommit(i, true);
      if (i === TOLD_AHEAD * TOLD_EVENTS - 1) turn();
    }
    sender.listener.onPhase('degraded', 'busy');
    while (told.length > 0) {
      const before = told.length;
      sender.heard();
      turn();
      if (told.length === before) break;
    }
    const last = events().slice(-2);
    expect(events()).toHaveLength(TOLD_AHEAD * TOLD_EVENTS + WAITING_MAX + 2);
    expect(last[0]).toEqual(['onPhase', 'degraded', 'busy']);
    expect(last[1]).toEqual(['report', expect.stringMatching(/^5 events .* were not told/)]);
  });

  it('sends no status beyond what the main thread takes in', () => {
    const { sender, clock, told } = setUp();
    sender.start();
    clock.advance(100 * STATUS_INTERVAL_MS);
    expect(told).toHaveLength(TOLD_AHEAD);
  });

  it('tells all that is left when it is closed, and stops its timer', () => {
    const { sender, clock, told, events } = setUp();
    sender.start();
    clock.advance(100 * STATUS_INTERVAL_MS);
    sender.listener.onCommit(1, true);
    sender.close();
    expect(events()).toEqual([['onCommit', 1, true]]);
    expect(told.at(-1)!.status).toEqual(emptyStatus('running'));
    const count = told.length;
    clock.advance(100 * STATUS_INTERVAL_MS);
    expect(told).toHaveLength(count);
  });
});
