import { ApiProperty } from '@nestjs/swagger';
import type { RuleChange } from '../../runtime/rulebook/revision.js';
import { PageDto } from '../paging/page.js';
import { time } from '../schema-parts.js';
import type { ChangedTests, ChangedText, RevisionDetail, RevisionEntry } from './revision-view.js';
import { RuleChangeDto, RuleFileDto } from './rules.dto.js';

export class RevisionEntryDto implements RevisionEntry {
  @ApiProperty({ enum: ['revision', 'approval'] })
  readonly kind!: RevisionEntry['kind'];

  @ApiProperty({ type: Number, description: 'Number of the revision; of an approval: what it approved.' })
  readonly n!: number;

  @ApiProperty(time)
  readonly at!: number;

  @ApiProperty({ type: String })
  readonly author!: string;

  @ApiProperty({ type: String, description: 'Why.' })
  readonly message!: string;

  @ApiProperty({ enum: ['live', 'pending', 'replaced'], description: 'live: in force; pending: waits for approval.' })
  readonly state!: RevisionEntry['state'];

  @ApiProperty({ type: Number, nullable: true, description: 'The revision whose set it brought back.' })
  readonly rollbackTo!: number | null;

  @ApiProperty({ type: [RuleChangeDto] })
  readonly changes!: readonly RuleChange[];

  @ApiProperty({ type: Number, description: 'Rules in the set.' })
  readonly rules!: number;

  @ApiProperty({ type: String, description: 'Hash of the entry before; empty: it is the first.' })
  readonly previous!: string;

  @ApiProperty({ type: String })
  readonly hash!: string;
}

export class RevisionPageDto extends PageDto {
  @ApiProperty({ type: [RevisionEntryDto] })
  readonly items!: readonly RevisionEntryDto[];
}

export class ChangedTextDto extends RuleChangeDto implements ChangedText {
  @ApiProperty({ type: String, nullable: true, description: 'YAML; null: it was not there.' })
  readonly before!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'YAML; null: it is not there any more.' })
  readonly after!: string | null;
}

export class ChangedTestsDto implements ChangedTests {
  @ApiProperty({ type: String, description: 'Id of the pattern.' })
  readonly id!: string;

  @ApiProperty({ type: String, nullable: true, description: 'YAML; null: it had none.' })
  readonly before!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'YAML; null: it has none any more.' })
  readonly after!: string | null;
}

export class RevisionDetailDto extends RevisionEntryDto implements RevisionDetail {
  @ApiProperty({ type: [ChangedTextDto] })
  readonly changed!: readonly ChangedTextDto[];

  @ApiProperty({ type: [ChangedTestsDto], description: 'Tests of patterns, also of those that are what they were.' })
  readonly changedTests!: readonly ChangedTestsDto[];

  @ApiProperty({ type: [RuleFileDto] })
  readonly files!: readonly RuleFileDto[];
}
