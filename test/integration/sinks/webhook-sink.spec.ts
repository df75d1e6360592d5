import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HttpClient } from '../../../src/connectors/http/http-client.js';
import { systemClock } from '../../../src/connectors/system-clock.js';
import { WebhookSink, type WebhookSinkOptions } from '../../../src/connectors/webhook/webhook-sink.js';
import type { Alert } from '../../../src/runtime/ports/alert.js';
import { ManualClock } from '../../../src/runtime/testing/manual-clock.js';
import { describeSink, someAlert } from '../../contracts/sink-contract.js';

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly text?: string;
}

/** Takes alerts as a receiver should: what it has seen it drops by its idempotency key. */
class Receiver {
  readonly taken = new Map<string, Alert>();
  readonly requests: { readonly headers: IncomingHttpHeaders; readonly body: string }[] = [];
  answer: (alert: Alert) => Answer = () => ({ status: 204 });
  private readonly server: Server;

  private constructor() {
    this.server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      this.requests.push({ headers: request.headers, body });
      const alert = JSON.parse(body) as Alert;
      const { status, headers = {}, text = '' } = this.answer(alert);
      const id = String(request.headers['idempotency-key']);
      if (status < 300 && !this.taken.has(id)) this.taken.set(id, alert);
      response.writeHead(status, headers).end(text);
    });
  }

  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    receiver.server.listen(0, '127.0.0.1');
    await once(receiver.server, 'listening');
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/alerts`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

const sinkFor = (url: string, over: Partial<WebhookSinkOptions> = {}) =>
  new WebhookSink({
    ...{ name: 'hook', url, concurrency: 4, clock: systemClock },
    client: new HttpClient({ clock: systemClock, timeoutMs: 2_000 }),
    ...over,
  });

describeSink('a webhook', {
  place: async () => {
    const receiver = await Receiver.start();
    const usual: Receiver['answer'] = ({ title }) =>
      title === 'poison' ? { status: 422, text: 'no such title' } : { status: 204 };
    receiver.answer = usual;
    return {
      sink: async () => sinkFor(receiver.url),
      written: async () => [...receiver.taken.values()],
      away: async () => {
        receiver.answer = () => ({ status: 503 });
      },
      back: async () => {
        receiver.answer = usual;
      },
      close: () => receiver.close(),
    };
  },
  poison: (alert) => ({ ...alert, title: 'poison' }),
});

describe('a webhook', () => {
  let receiver: Receiver;
  let sinks: WebhookSink[];

  beforeEach(async () => {
    receiver = await Receiver.start();
    sinks = [];
  });
  afterEach(async () => {
    for (const sink of sinks) await sink.close();
    await receiver.close();
  });
  const sinkOf = (over: Partial<WebhookSinkOptions> = {}) => {
    const sink = sinkFor(receiver.url, over);
    sinks.push(sink);
    return sink;
  };
  const failureOf = async (alert: Alert, sink = sinkOf()) => {
    const error = await sink.write([alert]).catch((caught: unknown) => caught);
    return error as { readonly message: string; refused: unknown[]; remaining: unknown[]; retryAfterMs: number };
  };

  it('signs the timestamp and the body, and names the alert', async () => {
    const clock = new ManualClock(1_700_000_000_999);
    await sinkOf({ secret: 's3cret', clock, authorization: 'Bearer x' }).write([someAlert(3)]);
    const { headers, body } = receiver.requests[0]!;
    expect(JSON.parse(body)).toEqual(someAlert(3));
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'idempotency-key': someAlert(3).id,
      'stakeout-timestamp': '1700000000',
      authorization: 'Bearer x',
    });
    const expected = createHmac('sha256', 's3cret').update(`1700000000.${body}`).digest('hex');
    expect(headers['stakeout-signature']).toBe(`v1=${expected}`);
  });

  it('sends no signature without a secret', async () => {
    await sinkOf().write([someAlert(1)]);
    expect(receiver.requests[0]!.headers).not.toHaveProperty('stakeout-signature');
  });

  it.each([
    ['takes', 200, { refused: 0, remaining: 0 }],
    ['takes', 409, { refused: 0, remaining: 0 }],
    ['refuses', 400, { refused: 1, remaining: 0 }],
    ['refuses', 413, { refused: 1, remaining: 0 }],
    ['refuses', 422, { refused: 1, remaining: 0 }],
    ['keeps', 301, { refused: 0, remaining: 1 }],
    ['keeps', 401, { refused: 0, remaining: 1 }],
    ['keeps', 404, { refused: 0, remaining: 1 }],
    ['keeps', 429, { refused: 0, remaining: 1 }],
    ['keeps', 500, { refused: 0, remaining: 1 }],
  ])('%s an alert that is answered with %s', async (_, status, counts) => {
    receiver.answer = () => ({ status });
    const failure = await failureOf(someAlert(1));
    const { refused = [], remaining = [] } = failure ?? {};
    expect({ refused: refused.length, remaining: remaining.length }).toEqual(counts);
  });

  it.each([
    ['7', 7_000],
    ['86400', 300_000],
    [new Date(10_000).toUTCString(), 5_000],
    ['soon', 0],
  ])('waits for what Retry-After says: %s', async (said, ms) => {
    receiver.answer = () => ({ status: 429, headers: { 'retry-after': said } });
    const failure = await failureOf(someAlert(1), sinkOf({ clock: new ManualClock(5_000) }));
    expect(failure.retryAfterMs).toBe(ms);
  });

  it('sends nothing more of a key behind what was not taken, and says what to look at', async () => {
    receiver.answer = ({ id }) => ({ status: id === someAlert(6).id ? 403 : 204 });
    const alerts = [1, 6, 11, 16].map((n) => someAlert(n));
    const error = await sinkOf()
      .write(alerts)
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      message: expect.stringMatching(/^http:\/\/127.0.0.1:\d+ answered 403: check authorization and secret$/),
      refused: [],
      remaining: alerts.slice(1),
    });
    expect(receiver.requests).toHaveLength(2);
  });
});
