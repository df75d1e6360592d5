/**
 * Committed alerts by POST, one a request.
 *
 * H1. An alert is sent again until it is answered, with the same `idempotency-key`, its id: a receiver that has seen the id drops it.
 * H2. Alerts of one key go one after the other: the next one when the one before was taken.
 * H3. Any 2xx is taken; 409 too: it was there already. 400, 411, 413, 414, 415, 422 refuse this alert for ever. All else (408, 425,
 *     429, 5xx, no answer, and what looks like a wrong URL or login) may pass: it comes again, not before `retry-after`.
 */
import type { Alert } from '../../runtime/ports/alert.js';
import type { Clock } from '../../runtime/ports/clock.js';
import { type AlertSink, PartlyWritten, type RefusedAlert } from '../../runtime/sinks/alert-sink.js';
import type { HttpAnswer, HttpClient } from '../http/http-client.js';
import { signature } from './signature.js';

export interface WebhookSinkOptions {
  readonly name: string;
  /** Closed with the sink. */
  readonly client: HttpClient;
  readonly clock: Clock;
  readonly url: string;
  /** Absent: requests are not signed. */
  readonly secret?: string | undefined;
  /** Value of the header `authorization`. */
  readonly authorization?: string | undefined;
  /** Requests under way at the same time, of one `write`. */
  readonly concurrency: number;
}

const TAKEN = 409;
const REFUSING = [400, 411, 413, 414, 415, 422];
/** However long a receiver asks us to wait, it is asked again after so long. */
const RETRY_AFTER_MAX_MS = 300_000;

/** What became of one `write`. */
interface Outcome {
  readonly refused: RefusedAlert[];
  readonly taken: Set<Alert>;
  trouble: string | null;
  retryAfterMs: number;
}

export class WebhookSink implements AlertSink {
  readonly name: string;

  constructor(private readonly options: WebhookSinkOptions) {
    this.name = options.name;
  }

  /** Throws `PartlyWritten`. */
  async write(alerts: readonly Alert[]): Promise<void> {
    const queues = [...Map.groupBy(alerts, ({ keyField, key }) => JSON.stringify([keyField, key])).values()];
    const outcome: Outcome = { refused: [], taken: new Set(), trouble: null, retryAfterMs: 0 };
    const work = async (): Promise<void> => {
      for (let queue = queues.shift(); queue !== undefined && outcome.trouble === null; queue = queues.shift())
        await this.sendInOrder(queue, outcome);
    };
    await Promise.all(Array.from({ length: Math.min(this.options.concurrency, queues.length) }, work));
    const { refused, taken, trouble, retryAfterMs } = outcome;
    if (trouble === null && refused.length === 0) return;
    const lost = new Set(refused.map(({ alert }) => alert));
    const remaining = alerts.filter((alert) => !taken.has(alert) && !lost.has(alert));
    throw new PartlyWritten(trouble ?? 'some alerts were refused', refused, remaining, { retryAfterMs });
  }

  async close(): Promise<void> {
    this.options.client.close();
  }

  /** Ends at the first that is not answered: the rest of the key waits behind it. */
  private async sendInOrder(alerts: readonly Alert[], outcome: Outcome): Promise<void> {
    for (const alert of alerts) {
      if (outcome.trouble !== null) return;
      try {
        this.judge(alert, await this.post(alert), outcome);
      } catch (error) {
        outcome.trouble ??= (error as Error).message;
      }
    }
  }

  private judge(alert: Alert, answer: HttpAnswer, outcome: Outcome): void {
    const { status, text } = answer;
    if ((status >= 200 && status < 300) || status === TAKEN) outcome.taken.add(alert);
    else if (REFUSING.includes(status))
      outcome.refused.push({ alert, detail: `the receiver answered ${status}: ${text.slice(0, 300)}` });
    else {
      outcome.trouble ??= `${new URL(this.options.url).origin} answered ${status}${hints[status] ?? ''}`;
      outcome.retryAfterMs = Math.max(outcome.retryAfterMs, this.retryAfter(answer));
    }
  }

  private retryAfter({ headers }: HttpAnswer): number {
    const said = headers['retry-after'];
    if (said === undefined) return 0;
    const ms = /^\d+$/.test(said) ? Number(said) * 1_000 : Date.parse(said) - this.options.clock.now();
    return Number.isNaN(ms) ? 0 : Math.min(Math.max(0, ms), RETRY_AFTER_MAX_MS);
  }

  private post(alert: Alert): Promise<HttpAnswer> {
    const { client, clock, url, secret, authorization } = this.options;
    const body = JSON.stringify(alert);
    const timestamp = String(Math.floor(clock.now() / 1_000));
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'stakeout',
      'idempotency-key': alert.id,
      'stakeout-timestamp': timestamp,
      ...(secret === undefined ? {} : { 'stakeout-signature': signature(secret, timestamp, body) }),
      ...(authorization === undefined ? {} : { authorization }),
    };
    return client.request({ method: 'POST', url, headers, body });
  }
}

const hints: Readonly<Record<number, string>> = {
  301: ': redirections are not followed; set url to where it leads',
  302: ': redirections are not followed; set url to where it leads',
  307: ': redirections are not followed; set url to where it leads',
  308: ': redirections are not followed; set url to where it leads',
  401: ': check authorization and secret',
  403: ': check authorization and secret',
  404: ': check url',
  405: ': check url; it does not take POST',
  410: ': check url',
};
