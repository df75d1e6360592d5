import { AvroSchemaError } from '../../connectors/avro/schema.js';
import { systemClock } from '../../connectors/system-clock.js';
import { type Diagnostic, formatDiagnostic } from '../../rules/index.js';
import type { Alert } from '../../runtime/ports/alert.js';
import { mustLogIn, type Settings } from '../../runtime/settings/index.js';
import { createService, type Service } from '../../service/bootstrap.js';
import { type Composed, compose } from '../../service/compose/compose.js';
import { logName } from '../../service/compose/log.js';
import { NoRulesError } from '../../service/compose/rules/running-rules.js';
import { StreamsError } from '../../service/compose/streams/topic-streams.js';
import { createLogger } from '../../service/logging/logger.js';
import type { ServiceParts } from '../../service/parts.js';
import { stopOnSignals } from '../../service/signals.js';
import { CommandError } from '../command-error.js';
import type { Output } from '../output.js';
import { settingsOrFail } from '../settings.js';
import { jobRunner } from './backtest/job-runner.js';

export interface StartOptions {
  readonly config?: string;
}

/** The service, until SIGINT or SIGTERM. */
export async function start(options: StartOptions, output: Output): Promise<number> {
  const config = options.config ?? process.env.STAKEOUT_CONFIG;
  const settings = settingsOrFail(config);
  const early = createLogger(settings, new Set());
  let service: Service | null = null;
  const composed = await composeOrFail(settings, () => service?.logger ?? early, config);
  for (const diagnostic of composed.running.diagnostics) output.say(formatDiagnostic(diagnostic));
  const shown = settings.demo.enabled ? withAlertsShown(composed.parts, output) : composed.parts;
  const parts = { ...shown, backtests: jobRunner(settings) };
  service = await createOrFail(settings, parts);
  const { logger } = service;
  const stopped = stopOnSignals({ stop: () => service!.stop(), clock: systemClock, logger });
  const started = startOrFail(service, settings).then(() => {
    output.say(welcome(settings, composed, service!.url()));
    if (!mustLogIn(settings.access))
      logger.warn(
        'nobody has to log in: whoever reaches this address may do everything. Set access.keys or access.oidc (docs/security.md)',
      );
  });
  // A start may wait for a broker for as long as it takes; a signal ends that too.
  const status = await Promise.race([stopped, started.then(() => stopped)]);
  output.say(status === 0 ? 'Stopped. Start again to go on from here.' : 'Stopped, but not in good order.');
  // What did not stop in time may keep the process alive.
  if (status !== 0) process.exit(status);
  return status;
}

async function composeOrFail(
  settings: Settings,
  logger: Parameters<typeof compose>[1],
  file: string | undefined,
): Promise<Composed> {
  try {
    return await compose(settings, logger, file);
  } catch (error) {
    if (error instanceof NoRulesError) {
      throw new CommandError([...error.diagnostics.map(formatDiagnostic), error.message].join('\n\n'), {
        cause: error,
      });
    }
    throw asCommandError(error, settings);
  }
}

async function createOrFail(settings: Settings, parts: ServiceParts): Promise<Service> {
  try {
    return await createService(settings, parts);
  } catch (error) {
    await parts.close();
    await parts.stores?.alerts.close();
    throw asCommandError(error, settings);
  }
}

async function startOrFail(service: Service, settings: Settings): Promise<void> {
  try {
    await service.start();
  } catch (error) {
    throw asCommandError(error, settings);
  }
}

/** What keeps us from listening, by Node's code for it. */
const NOT_LISTENING: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken by another program: stop it, or set http.port (HTTP_PORT)',
  EACCES: 'is not for this user: set http.port (HTTP_PORT) to one from 1024 on',
  EADDRNOTAVAIL: 'is no address of this machine: set http.host (STAKEOUT_HTTP_HOST)',
  ENOTFOUND: 'is no address that is known: set http.host (STAKEOUT_HTTP_HOST)',
};

/** Errors with a fixed code say all that a person needs; others are faults of ours and keep their stack. */
function asCommandError(error: unknown, { http }: Settings): unknown {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  const why = syscall === 'listen' || syscall === 'getaddrinfo' ? NOT_LISTENING[code ?? ''] : undefined;
  if (why !== undefined)
    return new CommandError(`HTTP cannot listen: ${http.host}:${http.port} ${why}.`, { cause: error });
  const known = error instanceof AvroSchemaError || error instanceof StreamsError;
  const ours = /^(LOG|STATE|KAFKA|REGISTRY|ACCESS|HTTP|LIST|OBJECTS|SETTINGS|TABLE|ALERT_STORE)(_|$)/.test(code ?? '');
  return known || ours ? new CommandError(message, { cause: error }) : error;
}

/** The demo's accounts are made up, so its alerts may be printed. */
function withAlertsShown(parts: ServiceParts, output: Output): ServiceParts {
  return {
    ...parts,
    createDetector: (settings, listener) =>
      parts.createDetector(settings, {
        onAlert: (alert, traceparent) => {
          output.say(alertLine(alert));
          listener.onAlert?.(alert, traceparent);
        },
        onPhase: (...args) => listener.onPhase?.(...args),
        onPartitions: (...args) => listener.onPartitions?.(...args),
        onDeadLetter: (...args) => listener.onDeadLetter?.(...args),
        onQuarantined: (...args) => listener.onQuarantined?.(...args),
        onBatch: (...args) => listener.onBatch?.(...args),
        onCommit: (...args) => listener.onCommit?.(...args),
      }),
  };
}

const alertLine = (alert: Alert): string =>
  `ALERT  ${alert.severity.padEnd(8)}  ${alert.title}: account ${alert.key}, ${alert.message}`;

const errorsIn = (diagnostics: readonly Diagnostic[]): number =>
  diagnostics.filter((d) => d.severity === 'error').length;

function welcome(settings: Settings, { running, parts }: Composed, url: string): string {
  const refused = errorsIn(running.diagnostics);
  const lines = [
    '',
    `stakeout runs on ${logName(settings)}, with ${running.rules.length} pattern${running.rules.length === 1 ? '' : 's'}${refused > 0 ? `; others are refused, see the ${refused === 1 ? 'error' : `${refused} errors`} above` : ''}.`,
    ...(settings.demo.enabled
      ? [
          `A demo stream of ${settings.demo.rate} transactions a second is playing; the first alert comes within seconds.`,
        ]
      : []),
    '',
    `  live alerts    ${url}/            (or: curl -N ${url}/v1/alerts/live)`,
    `  send some in   POST ${url}/v1/transactions`,
    `  the API        ${url}/docs`,
    `  health         ${url}/health/ready`,
    `  metrics        ${url}/metrics`,
    ...(parts.sinks.length > 0 ? [`  sinks          ${parts.sinks.map((sink) => sink.name).join(', ')}`] : []),
    '',
    'Ctrl-C stops it; starting again goes on where it stopped.',
    '',
  ];
  return lines.join('\n');
}
