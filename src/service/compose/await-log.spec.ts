import { until } from '../../../test/harness/until.js';
import { MemoryLog } from '../../runtime/memory/memory-log.js';
import type { Log } from '../../runtime/ports/log.js';
import { ManualClock } from '../../runtime/testing/manual-clock.js';
import { awaitLog } from './await-log.js';

class Coded extends Error {
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A log that fails with these, one after the other (or answers so late), and then answers. */
function waiting(...failures: (Error | Promise<readonly []>)[]) {
  const clock = new ManualClock(0);
  const stopping = new AbortController();
  const said: [string, string][] = [];
  const topics = async () => {
    const failure = failures.shift();
    if (failure instanceof Error) throw failure;
    return (await failure) ?? [];
  };
  const log: Log = Object.assign(Object.create(new MemoryLog()), { topics });
  const onWait = (text: string, { message }: Error) => void said.push([text, message]);
  const answered = awaitLog({ log, clock, name: 'Kafka at b:1', signal: stopping.signal, onWait });
  return { clock, stopping, said, answered, left: failures };
}

const away = (message = 'no broker answers') => new Coded('KAFKA_UNAVAILABLE', message);

it('waits for a log that is away, and says so once, with the settings to look at', async () => {
  const { clock, said, answered, left } = waiting(away(), away(), away('another one'));
  await until(() => said.length === 1, 'the wait');
  await until(() => {
    clock.advance(5_000);
    return left.length === 0;
  }, 'the last failure');
  clock.advance(5_000);
  await answered;
  expect(said).toEqual([
    [expect.stringContaining('look at kafka.brokers (KAFKA_BROKERS)'), 'no broker answers'],
    [expect.stringContaining('look at kafka.brokers (KAFKA_BROKERS)'), 'another one'],
  ]);
});

it('says so early, also where the log itself tries for long', async () => {
  const answer = Promise.withResolvers<readonly []>();
  const { clock, said, answered } = waiting(answer.promise);
  clock.advance(2_999);
  expect(said).toEqual([]);
  clock.advance(1);
  expect(said).toEqual([[expect.stringContaining('waiting for Kafka at b:1'), 'no answer within 3000 ms']]);
  answer.resolve([]);
  await answered;
});

it('does not wait where nobody lets us in', async () => {
  const { said, answered } = waiting(new Coded('KAFKA_AUTHENTICATION_FAILED', 'Authentication failed'));
  await expect(answered).rejects.toMatchObject({
    code: 'LOG_REFUSED',
    message: expect.stringMatching(/^Kafka at b:1: Authentication failed\. Look at kafka\.sasl/),
  });
  expect(said).toEqual([]);
});

it('waits for who gives out tokens', async () => {
  const cause = new Coded('KAFKA_OAUTH', 'login.example does not answer');
  const { clock, said, answered } = waiting(new Coded('KAFKA_AUTHENTICATION_FAILED', 'no token', { cause }));
  await until(() => said.length === 1, 'the wait');
  expect(said[0]![0]).toContain('look at kafka.sasl.oauth');
  clock.advance(5_000);
  await answered;
});

it('ends with the service', async () => {
  const { stopping, said, answered } = waiting(away(), away());
  await until(() => said.length === 1, 'the wait');
  stopping.abort();
  await expect(answered).rejects.toThrow('stopped while waiting for Kafka at b:1');
});
