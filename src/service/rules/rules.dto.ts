import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { RuleChange } from '../../runtime/rulebook/revision.js';
import { DiagnosticDto } from '../problems/diagnostic.dto.js';
import type { RulesStatus } from './rule-control.js';

export class RuleFileDto {
  @ApiProperty({ type: String, example: 'patterns/offshore-drain/pattern.yaml' })
  readonly file!: string;

  @ApiProperty({ type: String, description: 'The rule, in YAML.' })
  readonly text!: string;

  @ApiPropertyOptional({ type: String, description: 'Its own tests, as in a tests.yaml.' })
  readonly tests?: string;
}

export class SignatureDto {
  @ApiPropertyOptional({ type: String, description: 'Who asks for it, where nobody has to log in.' })
  readonly author?: string;

  @ApiPropertyOptional({ type: String, description: 'Why.' })
  readonly message?: string;
}

export class ApplyDto extends SignatureDto {
  @ApiProperty({ type: [RuleFileDto], description: 'The whole set: a rule that is not in it is removed.' })
  readonly files!: readonly RuleFileDto[];

  @ApiPropertyOptional({ type: Boolean, description: 'Only say what it would change.' })
  readonly dryRun?: boolean;
}

export class RollbackDto extends SignatureDto {
  @ApiPropertyOptional({ type: Number, description: 'The revision to bring back; that before the one in force.' })
  readonly to?: number;
}

export class RuleChangeDto implements RuleChange {
  @ApiProperty({ type: String })
  readonly id!: string;

  @ApiProperty({ enum: ['added', 'changed', 'removed'] })
  readonly change!: RuleChange['change'];

  @ApiProperty({ enum: ['kept', 'restarted', 'drained', 'filled', 'dropped'], nullable: true })
  readonly runs!: RuleChange['runs'];

  @ApiProperty({ type: String, nullable: true })
  readonly from!: string | null;

  @ApiProperty({ type: String, nullable: true })
  readonly to!: string | null;
}

export class AppliedDto {
  @ApiProperty({ enum: ['live', 'pending', 'unchanged', 'checked'] })
  readonly outcome!: string;

  @ApiProperty({ type: Number, nullable: true })
  readonly revision!: number | null;

  @ApiProperty({ type: [RuleChangeDto] })
  readonly changes!: readonly RuleChangeDto[];

  @ApiProperty({ type: [DiagnosticDto], description: 'Warnings with their places.' })
  readonly warnings!: readonly DiagnosticDto[];
}

export class RuleDto {
  @ApiProperty({ type: String })
  readonly id!: string;

  @ApiProperty({ enum: ['draft', 'shadow', 'live', 'retired'] })
  readonly status!: string;

  @ApiProperty({ type: String, description: 'Hash of its meaning.' })
  readonly revision!: string;

  @ApiProperty({ type: String })
  readonly file!: string;

  @ApiProperty({ type: String })
  readonly text!: string;

  @ApiProperty({ type: [Object], description: 'Partitions in which it is stopped: where, why, and at which event.' })
  readonly quarantined!: readonly object[];
}

export class RuleCountsDto implements Readonly<RulesStatus['counts']> {
  @ApiProperty({ type: Number })
  readonly draft!: number;

  @ApiProperty({ type: Number })
  readonly shadow!: number;

  @ApiProperty({ type: Number, description: 'For all keys.' })
  readonly live!: number;

  @ApiProperty({ type: Number, description: 'For some of the keys.' })
  readonly canary!: number;

  @ApiProperty({ type: Number })
  readonly retired!: number;
}

export class RulesStatusDto implements RulesStatus {
  @ApiProperty({ type: Number, nullable: true, description: 'Null: nothing was published, the folder’s rules run.' })
  readonly revision!: number | null;

  @ApiProperty({ type: [Number], description: 'Revisions that wait for approval.' })
  readonly pending!: readonly number[];

  @ApiProperty({ type: Boolean, description: 'Nobody has changed what was written of the history.' })
  readonly intact!: boolean;

  @ApiProperty({ type: String, nullable: true })
  readonly trouble!: string | null;

  @ApiProperty({ type: RuleCountsDto, description: 'Rules of the set in force, by their status.' })
  readonly counts!: RuleCountsDto;
}

export class AuditDto {
  @ApiProperty({ type: Boolean, description: 'Every entry is as it was written, and follows from the one before.' })
  readonly intact!: boolean;

  @ApiProperty({ type: Number, description: 'Entries that are believed.' })
  readonly entries!: number;

  @ApiProperty({ type: String, description: 'Hash of the last of them: keep a copy elsewhere.' })
  readonly head!: string;

  @ApiProperty({ type: String, nullable: true, description: 'What is wrong.' })
  readonly damage!: string | null;

  @ApiPropertyOptional({ type: Boolean, description: 'Whether the entry of the hash that was asked for is there.' })
  readonly hasHash?: boolean;
}

export class RuleSetDto extends RulesStatusDto {
  @ApiProperty({ type: [RuleDto] })
  readonly rules!: readonly RuleDto[];
}
