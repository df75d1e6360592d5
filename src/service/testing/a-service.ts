import type { FastifyReply, FastifyRequest } from 'fastify';
import { MemoryLog } from '../../runtime/memory/memory-log.js';
import type { Alert } from '../../runtime/ports/alert.js';
import { loadSettings, type Settings, type SettingsOverrides } from '../../runtime/settings/index.js';
import { ManualClock } from '../../runtime/testing/manual-clock.js';
import { createService, type Service, type ServiceOptions } from '../bootstrap.js';
import { createLogger } from '../logging/logger.js';
import type { ServiceParts } from '../parts.js';
import type { TransactionIngest } from '../transactions/transaction-ingest.js';
import { Documented, type Exchange, type OpenApi } from './as-documented.js';
import { FakeDetector } from './fake-detector.js';

export function someSettings(overrides: SettingsOverrides = {}): Settings {
  const loaded = loadSettings({ env: {}, overrides: { http: { port: 0 }, ...overrides } });
  if ('errors' in loaded) throw new Error(JSON.stringify(loaded.errors));
  return loaded.settings;
}

/** Takes objects with an `id` of text and an `amount` that is a number; writes JSON. */
export class FakeIngest implements TransactionIngest {
  readonly topic = 'transactions';
  prepareError: Error | null = null;

  async prepare(): Promise<void> {
    if (this.prepareError) throw this.prepareError;
  }

  encode(input: unknown): ReturnType<TransactionIngest['encode']> {
    const { id, amount } = (input ?? {}) as { id?: unknown; amount?: unknown };
    const problems = [
      ...(typeof id === 'string' ? [] : [{ path: 'id', expected: 'text', got: String(id) }]),
      ...(typeof amount === 'number' ? [] : [{ path: 'amount', expected: 'a number', got: String(amount) }]),
    ];
    if (problems.length > 0) return { ok: false, problems };
    const value = new TextEncoder().encode(JSON.stringify(input));
    return { ok: true, transaction: { id: id as string, key: new TextEncoder().encode(id as string), value } };
  }
}

type HookDone = (error: Error | null, payload: unknown) => void;

export interface TestService {
  readonly service: Service;
  readonly log: MemoryLog;
  readonly clock: ManualClock;
  readonly detector: FakeDetector;
  readonly ingest: FakeIngest;
  readonly logLines: string[];
  readonly closed: () => boolean;
  /** Puts alerts on the alerts topic, as a detector commits them. */
  commitAlerts(...alerts: Alert[]): Promise<void>;
}

/** The service on fakes: nothing listens until `service.start()`. `stop` throws where an answer was not as OpenAPI says. */
export async function aService(
  over: Partial<ServiceParts> = {},
  options: ServiceOptions & { readonly settings?: SettingsOverrides } = {},
): Promise<TestService> {
  const settings = someSettings(options.settings);
  const log = new MemoryLog();
  await log.createTopic({ name: 'alerts', partitions: 2 });
  await log.createTopic({ name: 'transactions', partitions: 1 });
  const [clock, detector, ingest] = [new ManualClock(1_000_000), new FakeDetector(), new FakeIngest()];
  const logLines: string[] = [];
  let closed = false;
  const logger = createLogger(
    { name: 'test', log: { level: 'info', format: 'json' } },
    over.personalFields ?? new Set(),
    { write: (line) => logLines.push(line) },
  );
  const parts: ServiceParts = {
    ...{ log, clock, ingest, sinks: [], risk: null, personalFields: new Set(), background: [] },
    createDetector: async (_settings, listener) => {
      detector.listener = listener;
      return detector;
    },
    alertDecoder: { decode: (value) => JSON.parse(new TextDecoder().decode(value)) as Alert },
    close: async () => {
      closed = true;
    },
    ...over,
  };
  const service = asDocumented(await createService(settings, parts, { logger, ...options }));
  const commitAlerts = async (...alerts: Alert[]) => {
    const producer = await log.producer();
    const value = (alert: Alert) => new TextEncoder().encode(JSON.stringify(alert));
    await producer.send(alerts.map((alert) => ({ topic: 'alerts', partition: 0, key: null, value: value(alert) })));
  };
  return { service, log, clock, detector, ingest, logLines, closed: () => closed, commitAlerts };
}

/** The same service, with each answer held against `/openapi.json` when it stops. */
function asDocumented(service: Service): Service {
  const exchanges: Exchange[] = [];
  const server = service.app.getHttpAdapter().getInstance();
  server.addHook('onSend', (request: FastifyRequest, reply: FastifyReply, payload: unknown, done: HookDone) => {
    const { method, url, body: sent } = request;
    // Streams and files are passed over.
    if (typeof payload === 'string' || payload === undefined)
      exchanges.push({
        ...{ method, url, sent, status: reply.statusCode, body: payload ?? '' },
        type: reply.getHeader('content-type') as string | undefined,
      });
    done(null, payload);
  });
  const stopAndCheck = async (): Promise<void> => {
    const toCheck = exchanges.splice(0);
    const document = toCheck.length > 0 ? documentOf((await service.app.inject('/openapi.json')).body) : null;
    await service.stop();
    const deviations = toCheck.flatMap((exchange) => document?.deviations(exchange) ?? []);
    if (deviations.length > 0) throw new Error(`not as /openapi.json says:\n${[...new Set(deviations)].join('\n')}`);
  };
  let stopped: Promise<void> | null = null;
  const stop = (): Promise<void> => {
    stopped ??= stopAndCheck();
    return stopped;
  };
  return Object.assign(Object.create(service) as Service, { stop });
}

/** One is read once: reading it takes longer than most tests. */
const documents = new Map<string, Documented>();

function documentOf(text: string): Documented {
  const known = documents.get(text);
  if (known !== undefined) return known;
  const made = new Documented(JSON.parse(text) as OpenApi);
  documents.set(text, made);
  return made;
}
