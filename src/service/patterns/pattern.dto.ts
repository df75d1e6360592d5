import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { RuleStatus, Severity } from '../../rules/index.js';
import { PageDto } from '../paging/page.js';
import type { RuleVersion } from '../rules/revision-view.js';
import { SignatureDto } from '../rules/rules.dto.js';
import { StoppedRuleDto } from '../status/status.dto.js';

const STATUSES: readonly RuleStatus[] = ['draft', 'shadow', 'live', 'retired'];

export class StoppedInDto extends StoppedRuleDto {
  @ApiProperty({ type: String })
  readonly topic!: string;

  @ApiProperty({ type: Number })
  readonly partition!: number;
}

export class PatternHealthDto {
  @ApiProperty({ type: Number, description: 'Matches that this process found since its start.' })
  readonly matches!: number;

  @ApiProperty({
    type: Number,
    nullable: true,
    description:
      'Partial matches alive in this process. Exact while few keys have any; else those of the keys that were looked at lately, on the scale of all. null: not known.',
  })
  readonly runs!: number | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    description:
      'Of all looks that patterns of this process took at events of keys since its start, its share: 0 to 1. null: none took any.',
  })
  readonly cost!: number | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    description:
      'From the event time at which a match is complete until its alert is committed: what 99 in 100 of the newest 1,000 alerts since the start did not exceed, milliseconds. null: there was none.',
  })
  readonly latencyMs!: number | null;

  @ApiProperty({ type: [StoppedInDto], description: 'Partitions in which it is stopped, and why.' })
  readonly quarantined!: readonly StoppedInDto[];

  @ApiProperty({ type: Boolean, description: 'It is being filled from the log, and comes into force then.' })
  readonly filling!: boolean;
}

export class PatternDto {
  @ApiProperty({ type: String, example: 'offshore-drain' })
  readonly id!: string;

  @ApiProperty({ type: String })
  readonly title!: string;

  @ApiProperty({ type: String, nullable: true })
  readonly description!: string | null;

  @ApiProperty({ enum: STATUSES })
  readonly status!: RuleStatus;

  @ApiProperty({ type: Number, nullable: true, description: 'Percent of the keys that it is live for; null: all.' })
  readonly canary!: number | null;

  @ApiProperty({ type: String, example: 'accountId', description: 'Field that events are grouped by.' })
  readonly key!: string;

  @ApiProperty({ type: [String], description: 'Names of the streams that it reads; empty: the only one.' })
  readonly streams!: readonly string[];

  @ApiProperty({ enum: ['low', 'medium', 'high', 'critical'] })
  readonly severity!: Severity;

  @ApiProperty({ type: Number, nullable: true, description: 'Null: each alert has one of its own.' })
  readonly score!: number | null;

  @ApiProperty({ type: [String], description: 'Names of its steps, in order; those of a group among them.' })
  readonly steps!: readonly string[];

  @ApiProperty({ type: Number, nullable: true, description: 'Window of the whole match, milliseconds.' })
  readonly withinMs!: number | null;

  @ApiProperty({ type: [String] })
  readonly tags!: readonly string[];

  @ApiProperty({ type: String, description: 'Hash of its meaning.' })
  readonly revision!: string;

  @ApiProperty({ type: PatternHealthDto })
  readonly health!: PatternHealthDto;
}

export class PatternDetailDto extends PatternDto {
  @ApiProperty({ type: String, nullable: true, description: 'As it was written; null: not known here.' })
  readonly yaml!: string | null;

  @ApiProperty({ type: String })
  readonly file!: string;
}

export class PatternPageDto extends PageDto {
  @ApiProperty({ type: [PatternDto], description: 'Of the set in force, drafts too.' })
  readonly items!: readonly PatternDto[];
}

export class NewPatternDto extends SignatureDto {
  @ApiProperty({ type: String, description: 'The rule, in YAML; its id is that of the path.' })
  readonly yaml!: string;

  @ApiPropertyOptional({
    type: String,
    description: 'Its own tests, as in a tests.yaml, published with it; empty: none; absent: those that it has.',
  })
  readonly tests?: string;

  @ApiPropertyOptional({ type: Boolean, description: 'Only say what it would change.' })
  readonly dryRun?: boolean;
}

export class NewStatusDto extends SignatureDto {
  @ApiProperty({ enum: STATUSES })
  readonly status!: RuleStatus;

  @ApiPropertyOptional({
    type: Number,
    nullable: true,
    minimum: 1,
    maximum: 99,
    description: 'With status live: percent of the keys; null or absent: all.',
  })
  readonly canary?: number | null;

  @ApiPropertyOptional({ type: Boolean, description: 'Only say what it would change.' })
  readonly dryRun?: boolean;
}

export class ShadowTotalsDto {
  @ApiProperty({ type: String })
  readonly pattern!: string;

  @ApiProperty({ enum: ['live', 'shadow'] })
  readonly kind!: 'live' | 'shadow';

  @ApiProperty({ type: Number })
  readonly alerts!: number;

  @ApiProperty({ type: Number, description: 'Different keys among them.' })
  readonly keys!: number;

  @ApiProperty({ type: Number, description: 'Of those that are live: by feedback.' })
  readonly confirmed!: number;

  @ApiProperty({ type: Number })
  readonly dismissed!: number;

  @ApiProperty({ type: Number })
  readonly unsure!: number;

  @ApiProperty({ type: Number, format: 'int64', nullable: true, description: 'Milliseconds since 1970.' })
  readonly firstAt!: number | null;

  @ApiProperty({ type: Number, format: 'int64', nullable: true, description: 'Milliseconds since 1970.' })
  readonly lastAt!: number | null;
}

export class ShadowDto {
  @ApiProperty({ type: Number, format: 'int64', description: 'Event time from which is counted.' })
  readonly from!: number;

  @ApiProperty({ type: Number, format: 'int64', description: 'And before which.' })
  readonly to!: number;

  @ApiProperty({ type: ShadowTotalsDto })
  readonly shadow!: ShadowTotalsDto;

  @ApiProperty({ type: ShadowTotalsDto })
  readonly live!: ShadowTotalsDto;

  @ApiProperty({ type: Number, description: 'Keys that both have alerts of.' })
  readonly bothKeys!: number;

  @ApiProperty({ type: Number, description: 'Keys that the one in shadow alone has alerts of.' })
  readonly onlyShadowKeys!: number;

  @ApiProperty({ type: Number, description: 'Keys that the live one alone has alerts of.' })
  readonly onlyLiveKeys!: number;
}

export class LiftDto extends SignatureDto {
  @ApiPropertyOptional({ type: Boolean, description: 'Even where this process has it in quarantine nowhere.' })
  readonly anyway?: boolean;

  @ApiPropertyOptional({ type: Boolean, description: 'Only say what it would change.' })
  readonly dryRun?: boolean;
}

export class PatternVersionDto implements RuleVersion {
  @ApiProperty({ type: String })
  readonly id!: string;

  @ApiProperty({ type: String, description: 'Of the pattern, as alerts name it.' })
  readonly revision!: string;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'The revision of the set that brought it; null: it ran before anything was published.',
  })
  readonly n!: number | null;

  @ApiProperty({ type: String })
  readonly file!: string;

  @ApiProperty({ type: String })
  readonly yaml!: string;
}
