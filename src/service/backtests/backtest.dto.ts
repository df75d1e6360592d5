import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { PageDto } from '../paging/page.js';
import { RuleFileDto } from '../rules/rules.dto.js';
import type { BacktestJob, JobProgress, JobSummary } from './backtest-job.js';

export class RuleChoiceDto {
  @ApiPropertyOptional({ type: [RuleFileDto], description: 'Rules that are sent along.' })
  readonly files?: readonly RuleFileDto[];

  @ApiPropertyOptional({ type: Number, description: 'The set of a revision that was published.' })
  readonly revision?: number;

  @ApiPropertyOptional({
    type: [String],
    description: 'Of these rules, or of those in force: the ones with these ids alone, drafts too.',
  })
  readonly ids?: readonly string[];
}

export class BacktestRequestDto {
  @ApiPropertyOptional({ type: String, description: 'A name for people.' })
  readonly title?: string;

  @ApiPropertyOptional({ type: RuleChoiceDto, description: 'What to run; absent: the rules in force.' })
  readonly rules?: RuleChoiceDto;

  @ApiPropertyOptional({ type: RuleChoiceDto, description: 'What to compare with; `{}`: the rules in force.' })
  readonly baseline?: RuleChoiceDto;

  @ApiPropertyOptional({
    type: String,
    description: 'Topic to read; absent: the file or topic of the stream that is scored.',
  })
  readonly topic?: string;

  @ApiPropertyOptional({ type: String, description: 'One of backtest.profiles in the settings.' })
  readonly profile?: string;

  @ApiPropertyOptional({
    type: String,
    example: '2026-01-31T00:00:00Z',
    description: 'Scored from this event time on.',
  })
  readonly from?: string;

  @ApiPropertyOptional({ type: String, description: 'And before this one.' })
  readonly to?: string;

  @ApiPropertyOptional({ type: String, example: '30d', description: 'How long before it reading begins.' })
  readonly warmup?: string;

  @ApiPropertyOptional({
    type: [Object],
    description: 'Labels, one row each, in place of the file that the settings name.',
  })
  readonly labels?: readonly object[];

  @ApiPropertyOptional({ type: [String], example: ['amount=5000..20000:16'] })
  readonly sweep?: readonly string[];
}

export class BacktestProgressDto implements JobProgress {
  @ApiProperty({ type: Number, description: 'Share of the input that was read, 0 to 1.' })
  readonly fraction!: number;

  @ApiProperty({ type: Number })
  readonly events!: number;

  @ApiProperty({ type: Number })
  readonly eventsPerSecond!: number;

  @ApiProperty({ type: Number, nullable: true })
  readonly secondsLeft!: number | null;
}

export class BacktestSummaryDto implements JobSummary {
  @ApiProperty({ type: Number })
  readonly events!: number;

  @ApiProperty({ type: Number })
  readonly alerts!: number;

  @ApiProperty({ type: Number, nullable: true })
  readonly precision!: number | null;

  @ApiProperty({ type: Number, nullable: true })
  readonly recall!: number | null;

  @ApiProperty({ type: Number, nullable: true })
  readonly f1!: number | null;

  @ApiProperty({ type: String })
  readonly digest!: string;

  @ApiProperty({
    type: Boolean,
    nullable: true,
    description: 'Whether the service has committed the same alerts; null: there are none to compare with.',
  })
  readonly parity!: boolean | null;
}

export class BacktestJobDto implements BacktestJob {
  @ApiProperty({ type: String })
  readonly id!: string;

  @ApiProperty({ enum: ['queued', 'running', 'done', 'failed', 'cancelled'] })
  readonly state!: BacktestJob['state'];

  @ApiProperty({ type: String })
  readonly createdAt!: string;

  @ApiProperty({ type: String, nullable: true })
  readonly startedAt!: string | null;

  @ApiProperty({ type: String, nullable: true })
  readonly endedAt!: string | null;

  @ApiProperty({ type: Number, description: 'Taken up again after each restart of the service that cut it short.' })
  readonly attempts!: number;

  @ApiProperty({
    type: Number,
    nullable: true,
    description:
      'Events after which the last attempt went on from what an earlier one had kept; null: from the beginning.',
  })
  readonly resumedAfter!: number | null;

  @ApiProperty({ type: String, nullable: true })
  readonly title!: string | null;

  @ApiProperty({ type: BacktestProgressDto, nullable: true })
  readonly progress!: BacktestProgressDto | null;

  @ApiProperty({ type: BacktestSummaryDto, nullable: true })
  readonly summary!: BacktestSummaryDto | null;

  @ApiProperty({ type: String, nullable: true, description: 'Why it failed.' })
  readonly error!: string | null;
}

export class BacktestPageDto extends PageDto {
  @ApiProperty({ type: [BacktestJobDto] })
  readonly items!: readonly BacktestJobDto[];
}
