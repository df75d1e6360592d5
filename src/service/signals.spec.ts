import { EventEmitter } from 'node:events';
import { ManualClock } from '../runtime/testing/manual-clock.js';
import { createLogger } from './logging/logger.js';
import { stopOnSignals } from './signals.js';

const logger = createLogger({ name: 'test', log: { level: 'silent' } }, new Set());

function waiting(stop: () => Promise<void>) {
  const [source, clock] = [new EventEmitter(), new ManualClock()];
  const status = stopOnSignals({ stop, clock, logger, source });
  return { source, clock, status };
}

const never = () => new Promise<void>(() => {});

describe('stopOnSignals', () => {
  it.each(['SIGINT', 'SIGTERM'])('stops in good order at %s, and lets go of the signals', async (signal) => {
    const { source, status } = waiting(async () => {});
    source.emit(signal);
    expect(await status).toBe(0);
    expect(source.listenerCount('SIGINT') + source.listenerCount('SIGTERM')).toBe(0);
  });

  it('does not wait longer than its time', async () => {
    const { source, clock, status } = waiting(never);
    source.emit('SIGTERM');
    clock.advance(20_000);
    expect(await status).toBe(1);
  });

  it('does not wait at the second signal', async () => {
    const { source, status } = waiting(never);
    source.emit('SIGINT');
    source.emit('SIGINT');
    expect(await status).toBe(130);
  });

  it('says by its status that stopping failed', async () => {
    const { source, status } = waiting(() => Promise.reject(new Error('disk full')));
    source.emit('SIGTERM');
    expect(await status).toBe(1);
  });
});
