import type { Server as TlsServer } from 'node:https';
import { join } from 'node:path';
import type { ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { storesInMemory } from '../connectors/alert-store/stores.js';
import type { Clock } from '../runtime/ports/clock.js';
import type { Settings, SinkSettings } from '../runtime/settings/index.js';
import type { AlertSink } from '../runtime/sinks/alert-sink.js';
import { AlertSinkFollower, type AlertSinkFollowerOptions } from '../runtime/sinks/alert-sink-follower.js';
import { Access } from './access/access.js';
import { KeyNames } from './access/key-names.js';
import { PersonalMask } from './access/personal-mask.js';
import { signInProvider } from './access/sign-in.js';
import { addWebSecurity } from './access/web-security.js';
import { ActiveSnoozes } from './alerts/active-snoozes.js';
import { AlertDesk } from './alerts/alert-desk.js';
import { AlertKeys } from './alerts/alert-keys.js';
import { alertRetention, alertStoreSink } from './alerts/alert-store-sink.js';
import { AlertView } from './alerts/alert-view.js';
import { LiveStreams } from './alerts/live-stream.js';
import { AuditTrail } from './audit/audit-trail.js';
import { BacktestJobs } from './backtests/backtest-jobs.js';
import { serveConsole } from './console/serve-console.js';
import { Decisions } from './decisions/decisions.js';
import { askInstance } from './decisions/other-instances.js';
import { StakeoutStrategy } from './detection/index.js';
import { HealthChecks } from './health/health.js';
import { httpTls, tlsRenewal } from './http-tls.js';
import { listTypes, readSentList } from './lists/sent-lists.js';
import { createLogger, type Logger } from './logging/logger.js';
import { NestLogger } from './logging/nest-logger.js';
import { Metrics } from './metrics/metrics.js';
import { addOpenApi } from './openapi.js';
import type { BackgroundPart, ServiceParts } from './parts.js';
import { ProblemFilter } from './problems/problem.filter.js';
import { SavepointJobs } from './savepoints/savepoint-jobs.js';
import { savepointFolder } from './savepoints/savepoint-parts.js';
import { type ServiceObjects, serviceModule } from './service.module.js';
import { logDetector, logTrouble } from './service-log.js';
import { SilentConnections } from './silent-connections.js';
import { SinkSet } from './sources/sink-set.js';
import { addRequestSpans } from './tracing/request-spans.js';
import type { Traces } from './tracing/traces.js';
import { ndjsonTypes } from './transactions/sent-transactions.js';
import { TransactionWriter } from './transactions/transaction-writer.js';

export interface ServiceOptions {
  /** Modules of an application around stakeout: controllers with `@OnAlert()` methods, for example. */
  readonly modules?: ModuleMetadata['imports'];
  /** Default: made from the settings, to standard error. */
  readonly logger?: Logger;
}

export interface Service {
  readonly app: NestFastifyApplication;
  readonly logger: Logger;
  /**
   * Listens for HTTP first, so that health can be asked while state is restored; then everything else. Throws when the port is
   * taken or the detector cannot start; the service is stopped then.
   */
  start(): Promise<void>;
  /** Finishes and commits what it holds, and closes everything. Calling it again waits for the same end. */
  stop(): Promise<void>;
  /** Where it listens, after `start`: `http://127.0.0.1:8080`. */
  url(): string;
}

/** What is made of the parts before Nest. */
interface Made {
  readonly objects: ServiceObjects;
  readonly traces: Traces | null;
  readonly background: readonly BackgroundPart[];
}

/** Puts the service together. Nothing runs, and nothing listens, before `start`. */
export async function createService(
  settings: Settings,
  parts: ServiceParts,
  options: ServiceOptions = {},
): Promise<Service> {
  const logger =
    options.logger ?? createLogger(settings, new Set([...parts.personalFields, ...settings.access.personalFields]));
  const made = await makeObjects(settings, parts, logger);
  const { objects } = made;
  const tls = httpTls(settings);
  const { bodyLimit } = settings.http;
  const adapter = new FastifyAdapter(
    tls === null ? { bodyLimit } : ({ bodyLimit, https: tls } as { bodyLimit: number }),
  );
  const app = await NestFactory.create<NestFastifyApplication>(serviceModule(objects, options.modules), adapter, {
    logger: new NestLogger(logger),
    abortOnError: false,
  });
  app.useGlobalFilters(new ProblemFilter(logger));
  await addWebSecurity(app, settings);
  adapter
    .getInstance()
    .addContentTypeParser(ndjsonTypes, { parseAs: 'string' }, (_request, body, done) => done(null, body));
  const instance = adapter.getInstance();
  if (made.traces !== null) addRequestSpans(instance, made.traces);
  instance.removeContentTypeParser('text/plain');
  instance.addContentTypeParser(listTypes, readSentList);
  addOpenApi(app);
  serveConsole(app, signInProvider(settings.access));
  app.connectMicroservice({ strategy: objects.strategy });
  if (tls === null) return new RunningService(app, logger, settings, parts, made);
  const renewal = tlsRenewal({
    ...{ settings, clock: parts.clock, pair: tls, server: () => app.getHttpServer() as unknown as TlsServer },
    onChange: (err) =>
      err === null
        ? logger.info('the certificate of HTTP was renewed')
        : logger.error({ err }, 'the certificate of HTTP cannot be renewed: the one before goes on'),
  });
  return new RunningService(app, logger, settings, parts, { ...made, background: [...made.background, renewal] });
}

/** What sends spans is loaded where there is a collector. */
async function tracesOf({ name, telemetry }: Settings, clock: Clock): Promise<Traces | null> {
  const { otlpUrl } = telemetry;
  if (otlpUrl === undefined) return null;
  const { otlpProcessor, Traces } = await import('./tracing/traces.js');
  return new Traces({ serviceName: name, processor: otlpProcessor(otlpUrl), clock });
}

async function makeObjects(settings: Settings, parts: ServiceParts, logger: Logger): Promise<Made> {
  const { log, clock, alertDecoder: decoder } = parts;
  const { topic } = settings.alerts;
  const checkpoints = parts.checkpoints ?? (() => []);
  const traces = await tracesOf(settings, clock);
  const stores = parts.stores ?? storesInMemory(() => clock.now());
  const store = stores.alerts;
  const trail = new AuditTrail(stores.audit, clock, logger);
  const view = new AlertView({ log, clock, decoder, topic, onTrouble: logTrouble(logger, 'alerts for HTTP') });
  const { personal, personalFields } = settings.access;
  const mask = new PersonalMask([...parts.personalFields, ...personalFields], personal, () => strategy.rules());
  const keys = new KeyNames(parts.pseudonyms ?? (() => undefined), mask, () => strategy.rules());
  const snoozes = new ActiveSnoozes(store, clock);
  const desk = new AlertDesk({ store, clock, snoozes, latest: (id) => view.get(id) });
  const streams = new LiveStreams(view, clock, snoozes, mask);
  type Follower = AlertSinkFollowerOptions;
  const follower = (sink: Follower['sink'], from: string, groupId: Follower['groupId'], more: Partial<Follower> = {}) =>
    new AlertSinkFollower({
      ...{ log, clock, topic: from, decoder, sink, groupId },
      onTrouble: logTrouble(logger, `sink ${sink.name}`),
      onDeadLetter: ({ from: { partition }, record: { offset }, reason, detail }) =>
        logger.error(
          { topic: from, partition, offset, reason, detail },
          `sink ${sink.name}: a record is a dead letter`,
        ),
      ...more,
    });
  const { groupId } = settings.kafka;
  // Each copy of the store is filled by itself, from the beginning: one in a file belongs to one instance.
  const groupOf = (sink: AlertSink) => async () => {
    await store.open();
    return `${groupId}-${sink.name}-${store.id}`;
  };
  const named = (sink: Follower['sink'], of: SinkSettings | undefined) =>
    follower(sink, topic, `${groupId}-${sink.name}`, { deadLetters: settings.deadLetters.topic, ...wantedBy(of) });
  const [live, shadow] = [alertStoreSink(store, 'live', clock), alertStoreSink(store, 'shadow', clock)];
  const sinks = [
    follower(live, topic, groupOf(live)),
    follower(shadow, settings.alerts.shadowTopic, groupOf(shadow)),
    ...parts.sinks.map((sink) => named(sink, settings.sinks[sink.name])),
  ];
  const retention = alertRetention({
    ...{ stores, clock, retentionMs: settings.alertStore.retention, alertsMax: settings.alertStore.alertsMax },
    warn: (text, err) => logger.warn({ err }, text),
  });
  const metrics: Metrics = new Metrics({
    ...{ clock, sinks },
    detectorStatus: () => strategy.detectorStatus(),
    handlerStatus: () => strategy.handlerStatus(),
    tables: () => parts.feeds?.statuses() ?? [],
    liveStreams: () => streams.count,
    checkpoints,
    rules: () => parts.rules?.status() ?? null,
  });
  const strategy = new StakeoutStrategy({
    createDetector: (listener) => parts.createDetector(settings, listener),
    listeners: [metrics.listener(), logDetector(logger)],
    traces,
    onHandlerError: (err, alert) =>
      logger.warn({ err, alert: alert.id, pattern: alert.patternId }, 'an alert handler failed'),
    onListenerError: (err) => logger.error({ err }, 'a listener of detection failed'),
  });
  const health = new HealthChecks(() => strategy.detectorStatus(), log, clock);
  const writer = new TransactionWriter({ log, clock, ingest: parts.ingest, ingestOf: parts.ingestOf });
  const decisions = new Decisions({
    ...{ log, writer, now: () => clock.now() },
    stopwatch: () => performance.now() / 1000,
    onDecision: (outcome, seconds) => metrics.decisions.observe(outcome, seconds),
    consider: (question) => strategy.consider(question),
    askInstance: (url, question) => askInstance(url, question, settings.access.peerSecret),
    ...(settings.http.advertise === undefined ? {} : { ownUrl: settings.http.advertise }),
  });
  const savepoints =
    parts.savepoints === undefined
      ? null
      : new SavepointJobs({
          ...{ source: parts.savepoints, clock, folder: savepointFolder(settings) },
          detector: () => (strategy.detectorStatus() === null ? null : strategy.unwrap()),
          onFailure: (err) => logger.warn({ err }, 'a savepoint could not be written'),
        });
  const backtests =
    parts.backtests === undefined
      ? null
      : new BacktestJobs({
          ...{ runner: parts.backtests, clock, folder: join(settings.data.directory, 'backtests') },
          ...{ queueMax: settings.backtests.queue, keptMax: settings.backtests.kept },
          onTrouble: (text, err) => logger.warn({ err }, text),
        });
  const { risk, rules = null, reading = null, explain = null, lists = null, switches = null } = parts;
  const { sources = null, makeSink } = parts;
  switches?.attachSinks(sinks);
  if (makeSink !== undefined)
    sources?.attachSinks(
      new SinkSet({
        ...{ followers: sinks, sinks: settings.sinks },
        make: async (name, sink) => named(await makeSink(name, sink), sink),
        isPaused: async (name) => (await switches?.isPausedAtStart(name)) ?? false,
      }),
    );
  return {
    objects: {
      settings,
      access: new Access(settings.access, {
        now: () => clock.now(),
        onChange: (err) =>
          err === null
            ? logger.info('the file with API keys was read again')
            : logger.error(
                { err },
                'the file with API keys has changed and does not hold: those that it had still count',
              ),
      }),
      ...{ stores, trail, clock, mask, keys },
      strategy,
      view,
      desk,
      streams,
      writer,
      decisions,
      health,
      metrics,
      sinks,
      risk,
      savepoints,
      backtests,
      rules,
      reading,
      explain,
      alertKeys: new AlertKeys(desk, parts.keyOf, () => strategy.rules()),
      lists,
      switches,
      feeds: parts.feeds ?? null,
      sources,
      checkpoints,
      testStreams: parts.testStreams ?? [],
      placeOf: parts.placeOf ?? null,
    },
    traces,
    background: [retention, ...parts.background],
  };
}

const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;

/** What the settings of a sink leave to it. */
function wantedBy(sink: SinkSettings | undefined): Pick<AlertSinkFollowerOptions, 'wants'> {
  const least = SEVERITIES.indexOf(sink?.severity ?? 'low');
  return least === 0 ? {} : { wants: ({ severity }) => SEVERITIES.indexOf(severity) >= least };
}

/** How long sinks and the view of alerts may take to leave the log in good order. */
const FOLLOWERS_STOP_MS = 3_000;

/**
 *     created ──start()──▶ running ──stop()──▶ stopped
 *
 * Stopping, in this order; each step is taken even when one before it failed:
 * 1. nothing new is made (the demo, a savepoint) and live streams end, which lets HTTP close;
 * 2. HTTP closes after the requests under way (connections that never asked for anything are cut), and beside it (a slow client
 *    must not hold it up) the detector commits what it holds and alert handlers finish;
 * 3. sinks and the view of alerts leave the log: what they did not get they get at the next start;
 * 4. the producer, traces, and at last the log and the stores.
 */
class RunningService implements Service {
  private stopped: Promise<void> | null = null;
  private readonly silent: SilentConnections;
  private readonly objects: ServiceObjects;

  constructor(
    readonly app: NestFastifyApplication,
    readonly logger: Logger,
    private readonly settings: Settings,
    private readonly parts: ServiceParts,
    private readonly made: Made,
  ) {
    this.objects = made.objects;
    this.silent = new SilentConnections(app.getHttpServer());
  }

  async start(): Promise<void> {
    const { host, port } = this.settings.http;
    try {
      await this.app.listen(port, host);
      this.objects.view.start();
      for (const sink of this.objects.sinks) sink.start(this.parts.switches?.isPausedAtStart(sink.name));
      await this.app.startAllMicroservices();
      for (const part of this.made.background) await part.start();
      await this.objects.backtests?.open();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  stop(): Promise<void> {
    this.stopped ??= this.stopAll();
    return this.stopped;
  }

  url(): string {
    const address = this.app.getHttpServer().address();
    if (address === null || typeof address === 'string') throw new Error('the service does not listen');
    const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
    const scheme = this.settings.http.tls.certificate === undefined ? 'http' : 'https';
    return `${scheme}://${/^(0\.0\.0\.0|\[::\])$/.test(host) ? 'localhost' : host}:${address.port}`;
  }

  private async stopAll(): Promise<void> {
    const { strategy, streams, sinks, view, writer, metrics, savepoints, backtests } = this.objects;
    await this.attempt([...this.made.background.map((part) => () => part.stop()), async () => savepoints?.close()]);
    await this.attempt([async () => backtests?.close()]);
    await this.attempt([async () => streams.closeAll(), () => this.closeHttp(), () => strategy.close()]);
    // With the log away these wait for it; closing the log below ends their wait. They lose nothing by it.
    const followers = this.attempt([...sinks.map((sink) => () => sink.stop()), () => view.stop()]);
    await this.atMost(FOLLOWERS_STOP_MS, followers);
    await this.attempt([() => writer.close(), async () => this.made.traces?.close(), async () => metrics.close()]);
    await this.attempt([() => this.objects.trail.close()]);
    await this.attempt([() => this.objects.stores.alerts.close()]);
    await this.attempt([() => this.parts.close()]);
  }

  private async atMost(ms: number, work: Promise<void>): Promise<void> {
    let cancel: () => void = () => undefined;
    const timeout = new Promise<void>((resolve) => {
      cancel = this.parts.clock.schedule(ms, resolve);
    });
    await Promise.race([work, timeout]);
    cancel();
  }

  private async closeHttp(): Promise<void> {
    const closed = this.app.close();
    this.silent.cut();
    await closed;
  }

  private async attempt(steps: readonly (() => Promise<unknown>)[]): Promise<void> {
    const results = await Promise.allSettled(steps.map((step) => step()));
    for (const result of results) {
      if (result.status === 'rejected')
        this.logger.error({ err: result.reason }, 'not everything stopped in good order');
    }
  }
}
