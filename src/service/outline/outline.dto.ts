import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { RuleStatus, Severity } from '../../rules/index.js';
import { DiagnosticDto } from '../problems/diagnostic.dto.js';
import type {
  AutomatonOutline,
  Outline,
  RuleOutline,
  StateOutline,
  StepOutline,
  TransitionOutline,
} from './outline.js';
import type { Vocabulary, VocabularyField } from './vocabulary.js';

export class RuleToOutlineDto {
  @ApiProperty({ type: String, description: 'The rule, in YAML.' })
  readonly text!: string;

  @ApiPropertyOptional({ type: String, example: 'patterns/offshore-drain/pattern.yaml' })
  readonly file?: string;
}

export class RuleTestsDto {
  @ApiProperty({ type: String, nullable: true, description: 'In YAML; null: there are none.' })
  readonly text!: string | null;
}

export class StepOutlineDto implements StepOutline {
  @ApiProperty({ type: String })
  readonly name!: string;

  @ApiProperty({ type: String, nullable: true, description: 'Its condition; null: any event.' })
  readonly where!: string | null;

  @ApiProperty({ type: String, nullable: true })
  readonly subtype!: string | null;

  @ApiProperty({ enum: ['start', 'next', 'followedBy', 'followedByAny', 'notNext', 'notFollowedBy'] })
  readonly contiguity!: string;

  @ApiProperty({ type: String, nullable: true, example: '3..5', description: 'How often; null: once.' })
  readonly times!: string | null;

  @ApiProperty({ type: Boolean })
  readonly optional!: boolean;

  @ApiProperty({ type: [String], description: 'Fields of the event that its condition reads.' })
  readonly fields!: readonly string[];
}

export class RuleOutlineDto implements RuleOutline {
  @ApiProperty({ type: String })
  readonly id!: string;

  @ApiProperty({ type: String })
  readonly title!: string;

  @ApiProperty({ enum: ['draft', 'shadow', 'live', 'retired'] })
  readonly status!: RuleStatus;

  @ApiProperty({ type: String })
  readonly key!: string;

  @ApiProperty({ type: String, description: 'Hash of its meaning.' })
  readonly revision!: string;

  @ApiProperty({ enum: ['low', 'medium', 'high', 'critical'] })
  readonly severity!: Severity;

  @ApiProperty({ type: [StepOutlineDto] })
  readonly steps!: readonly StepOutlineDto[];
}

export class StateOutlineDto implements StateOutline {
  @ApiProperty({ type: String })
  readonly name!: string;

  @ApiProperty({ type: String })
  readonly step!: string;

  @ApiProperty({ enum: ['normal', 'final', 'stop', 'pending'] })
  readonly type!: StateOutline['type'];

  @ApiProperty({ type: Number, description: 'Longest wait since the event before, milliseconds; 0: none.' })
  readonly gapMs!: number;
}

export class TransitionOutlineDto implements TransitionOutline {
  @ApiProperty({ type: Number, description: 'Index of a state.' })
  readonly from!: number;

  @ApiProperty({ type: Number })
  readonly to!: number;

  @ApiProperty({ enum: ['take', 'ignore', 'proceed'] })
  readonly action!: TransitionOutline['action'];

  @ApiProperty({ type: String, description: 'Its condition; empty: every event.' })
  readonly when!: string;
}

export class AutomatonOutlineDto implements AutomatonOutline {
  @ApiProperty({ type: Number, description: 'Index of the state that runs begin in.' })
  readonly start!: number;

  @ApiProperty({ type: Number, description: 'Window of the whole match, milliseconds; 0: none.' })
  readonly windowMs!: number;

  @ApiProperty({ type: [StateOutlineDto] })
  readonly states!: readonly StateOutlineDto[];

  @ApiProperty({ type: [TransitionOutlineDto] })
  readonly transitions!: readonly TransitionOutlineDto[];
}

export class OutlineDto implements Outline {
  @ApiProperty({ type: RuleOutlineDto, nullable: true, description: 'null: the text has errors.' })
  readonly rule!: RuleOutlineDto | null;

  @ApiProperty({
    type: AutomatonOutlineDto,
    nullable: true,
    description: 'null: the text has errors, or it is a window that emits, which has no automaton.',
  })
  readonly automaton!: AutomatonOutlineDto | null;

  @ApiProperty({ type: [DiagnosticDto], description: 'Errors and warnings with their places.' })
  readonly diagnostics!: readonly DiagnosticDto[];
}

export class VocabularyFieldDto implements VocabularyField {
  @ApiProperty({ type: String })
  readonly name!: string;

  @ApiProperty({ enum: ['number', 'string', 'boolean', 'other'] })
  readonly type!: string;

  @ApiProperty({ type: Boolean, description: 'It may be missing.' })
  readonly optional!: boolean;

  @ApiProperty({ type: [String], nullable: true, description: 'Values of an enum.' })
  readonly symbols!: readonly string[] | null;

  @ApiProperty({ type: String, nullable: true })
  readonly doc!: string | null;
}

export class VocabularyStreamDto {
  @ApiProperty({ type: String })
  readonly name!: string;

  @ApiProperty({ type: [VocabularyFieldDto], nullable: true, description: 'null: nothing is known of its events.' })
  readonly fields!: readonly VocabularyFieldDto[] | null;

  @ApiProperty({ type: [String], nullable: true, description: 'What `subtype` may be; null: anything.' })
  readonly kinds!: readonly string[] | null;
}

export class VocabularyListDto {
  @ApiProperty({ type: String })
  readonly name!: string;

  @ApiProperty({ enum: ['set', 'map'] })
  readonly kind!: 'set' | 'map';
}

export class VocabularyDto implements Vocabulary {
  @ApiProperty({ type: [VocabularyStreamDto] })
  readonly streams!: readonly VocabularyStreamDto[];

  @ApiProperty({ type: [VocabularyListDto] })
  readonly lists!: readonly VocabularyListDto[];

  @ApiProperty({ type: [String], description: 'Names of functions that conditions may call.' })
  readonly functions!: readonly string[];
}
