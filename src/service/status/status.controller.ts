import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { CheckpointStatus } from '../../runtime/checkpoint/options.js';
import type { PartitionStatus } from '../../runtime/detector.js';
import type { Settings } from '../../runtime/settings/index.js';
import type { AlertSinkFollower } from '../../runtime/sinks/alert-sink-follower.js';
import { Allow } from '../access/allow.js';
import { PersonalMask } from '../access/personal-mask.js';
import { Caller, type Principal } from '../access/principal.js';
import { AlertView } from '../alerts/alert-view.js';
import { StakeoutStrategy } from '../detection/index.js';
import type { TableFeeds } from '../feeds/table-feeds.js';
import type { RuleControl } from '../rules/rule-control.js';
import { CHECKPOINTS, FEEDS, RULES, SETTINGS, SINKS } from '../tokens.js';
import { packageVersion } from '../version.js';
import { type CheckpointDto, type DetectorDto, StatusDto } from './status.dto.js';

@ApiTags('status')
@Controller('v1/status')
@Allow('viewer')
export class StatusController {
  private readonly version = packageVersion();

  constructor(
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(StakeoutStrategy) private readonly strategy: StakeoutStrategy,
    @Inject(AlertView) private readonly view: AlertView,
    @Inject(SINKS) private readonly sinks: readonly AlertSinkFollower[],
    @Inject(CHECKPOINTS) private readonly checkpoints: () => readonly CheckpointStatus[],
    @Inject(RULES) private readonly rules: RuleControl | null,
    @Inject(FEEDS) private readonly feeds: TableFeeds | null,
    @Inject(PersonalMask) private readonly mask: PersonalMask,
  ) {}

  @Get()
  @ApiOperation({ summary: 'What this process does at present' })
  @ApiOkResponse({ type: StatusDto })
  status(@Caller() caller: Principal): StatusDto {
    const alerts = this.view.status();
    return {
      name: this.settings.name,
      version: this.version,
      node: process.version,
      log: this.settings.kafka.brokers === undefined ? 'embedded' : 'kafka',
      detector: this.detector(caller),
      sinks: this.sinks.map((sink) => {
        const { name, state, trouble, written, deadLettered, lag } = sink.status();
        const counts = { written, deadLettered };
        return { name, state, trouble, ...counts, lag: [...lag.values()].reduce((sum, records) => sum + records, 0) };
      }),
      checkpoints: this.checkpoints().map(checkpointOf),
      tables: this.feeds?.statuses() ?? [],
      patterns: this.strategy.rules().length,
      rules: this.rules?.status() ?? null,
      alertsHeld: alerts.held,
      alertsTrouble: alerts.trouble,
    };
  }

  private detector(caller: Principal): DetectorDto | null {
    const status = this.mask.ofStatus(this.strategy.detectorStatus(), caller);
    if (status === null) return null;
    return {
      ...status,
      matches: Object.fromEntries(status.matches),
      steps: Object.fromEntries(status.steps),
      partitions: status.partitions.map((partition) => ({ ...partition, lag: lagOf(partition) })),
    };
  }
}

/** Records between what is processed and the end of the log. */
export function lagOf({ position, endOffset }: PartitionStatus): number {
  return Math.max(0, endOffset - position);
}

export function checkpointOf(status: CheckpointStatus): CheckpointDto {
  const { topic, partition, last, bytesWritten, failedInRow, degraded, lastFailure } = status;
  const newest = { position: last?.position ?? null, at: last?.timeMs ?? null };
  return { topic, partition, ...newest, bytesWritten, failedInRow, degraded, lastFailure };
}
