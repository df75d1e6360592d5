import type { DetectorStatus } from '../../runtime/detector.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { Log } from '../../runtime/ports/log.js';

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

export interface Health {
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

const LOG_TIMEOUT_MS = 2_000;
/** Probes of several kinds come together: one look at the log serves them all. */
const LOG_FRESH_MS = 1_000;

/** What orchestrators ask: must this process be replaced (live), may it get work (ready), has it come up (started)? */
export class HealthChecks {
  private logCheck: { readonly at: number; readonly result: Promise<Check> } | null = null;

  constructor(
    private readonly detectorStatus: () => DetectorStatus | null,
    private readonly log: Log,
    private readonly clock: Clock,
  ) {}

  /** Only a detector that cannot go on needs a new process; a log that is away would be away for the next one, too. */
  live(): Health {
    const status = this.detectorStatus();
    return health([
      { name: 'detector', ok: status?.phase !== 'failed', detail: status?.trouble ?? status?.phase ?? 'being made' },
    ]);
  }

  async ready(): Promise<Health> {
    const status = this.detectorStatus();
    return health([this.running(status, ['running']), this.restored(status), await this.logReachable()]);
  }

  /** Once everything is restored for the first time; a degraded detector has come up. */
  started(): Health {
    const status = this.detectorStatus();
    return health([this.running(status, ['running', 'degraded']), this.restored(status)]);
  }

  private running(status: DetectorStatus | null, phases: readonly DetectorStatus['phase'][]): Check {
    const phase = status?.phase ?? 'created';
    const trouble = status?.trouble ? `: ${status.trouble}` : '';
    return { name: 'detector', ok: phases.includes(phase), detail: `${phase}${trouble}` };
  }

  private restored(status: DetectorStatus | null): Check {
    const partitions = status?.partitions ?? [];
    const restoring = partitions.filter(({ phase }) => phase === 'restoring').length;
    return {
      name: 'state',
      ok: restoring === 0,
      detail:
        restoring === 0
          ? `${partitions.length} partitions live`
          : `${restoring} of ${partitions.length} partitions restoring`,
    };
  }

  private logReachable(): Promise<Check> {
    const now = this.clock.now();
    if (this.logCheck === null || now - this.logCheck.at >= LOG_FRESH_MS) {
      this.logCheck = { at: now, result: this.askLog() };
    }
    return this.logCheck.result;
  }

  private async askLog(): Promise<Check> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const cancel = this.clock.schedule(LOG_TIMEOUT_MS, () =>
      reject(new Error(`no answer within ${LOG_TIMEOUT_MS} ms`)),
    );
    try {
      const topics = await Promise.race([this.log.topics(), late]);
      return { name: 'log', ok: true, detail: `${topics.length} topics` };
    } catch (error) {
      return { name: 'log', ok: false, detail: error instanceof Error ? error.message : String(error) };
    } finally {
      cancel();
    }
  }
}

function health(checks: readonly Check[]): Health {
  return { ok: checks.every(({ ok }) => ok), checks };
}
