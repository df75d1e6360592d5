import { Backoff, pause } from '../../runtime/backoff.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { Log } from '../../runtime/ports/log.js';

const RETRY_MIN_MS = 200;
const RETRY_MAX_MS = 5000;
/** The log itself tries for longer than people like to hear nothing. */
const SILENT_MS = 3000;

/** What may pass by itself: a broker, or who gives out tokens, that is away. */
const PASSING = ['KAFKA_UNAVAILABLE', 'KAFKA_OAUTH'];

const AWAY = 'If it is up, look at kafka.brokers (KAFKA_BROKERS), kafka.tls.enabled and kafka.sasl.mechanism';

const ADVICE: Readonly<Record<string, string>> = {
  KAFKA_UNAVAILABLE: AWAY,
  KAFKA_OAUTH: 'If it is up, look at kafka.sasl.oauth',
  KAFKA_AUTHENTICATION_FAILED: 'Look at kafka.sasl (mechanism, username, password) and kafka.tls.ca',
};

/** The log does not take us. */
export class LogRefusedError extends Error {
  readonly code = 'LOG_REFUSED';
}

export interface AwaitLogOptions {
  readonly log: Log;
  readonly clock: Clock;
  /** The log in words: `Kafka at b1:9092`. */
  readonly name: string;
  /** Ends the wait. */
  readonly signal: AbortSignal;
  /** Told when the wait begins, and when what is waited for is another thing. */
  readonly onWait: (text: string, trouble: Error) => void;
}

/** Resolves when the log answers; waits for one that is away. Throws `LogRefusedError` where waiting does not help, and when `signal` is given. */
export async function awaitLog(options: AwaitLogOptions): Promise<void> {
  const { clock, name, onWait } = options;
  const silent = new Error(`no answer within ${SILENT_MS} ms`);
  const cancel = clock.schedule(SILENT_MS, () => onWait(`waiting for ${name}. ${AWAY}`, silent));
  try {
    await answered({
      ...options,
      onWait: (text, trouble) => {
        cancel();
        onWait(text, trouble);
      },
    });
  } finally {
    cancel();
  }
}

async function answered({ log, clock, name, signal, onWait }: AwaitLogOptions): Promise<void> {
  const retry = new Backoff(RETRY_MIN_MS, RETRY_MAX_MS);
  let said = '';
  for (;;) {
    try {
      await log.topics();
      return;
    } catch (cause) {
      const { message } = cause as Error;
      const codes = codesIn(cause);
      const passing = PASSING.findLast((code) => codes.includes(code));
      const advice = ADVICE[passing ?? codes[0] ?? ''];
      if (passing === undefined)
        throw new LogRefusedError([`${name}: ${message}.`, advice && `${advice}.`].filter(Boolean).join(' '), {
          cause,
        });
      if (message !== said) onWait(`waiting for ${name}. ${advice}`, cause as Error);
      said = message;
      await pause(clock, retry.next(), signal);
      if (signal.aborted) throw new LogRefusedError(`stopped while waiting for ${name}`, { cause });
    }
  }
}

/** Of an error and what it came of, the outermost first. */
function codesIn(error: unknown): readonly string[] {
  const { code, cause } = error as { readonly code?: unknown; readonly cause?: unknown };
  return [...(typeof code === 'string' ? [code] : []), ...(cause === undefined ? [] : codesIn(cause))];
}
