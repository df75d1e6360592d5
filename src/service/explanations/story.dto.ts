import { ApiExtraModels, ApiProperty, ApiPropertyOptional, getSchemaPath, OmitType } from '@nestjs/swagger';
import type { Scalar } from '../../engine/index.js';
import type { ConditionPart } from '../../rules/explain/explain-condition.js';
import type { AwaitedStep, RunEnd, TakenEvent, ToldEvent, ToldWindow } from '../../rules/explain/story.js';
import type { ExplainedEvent, ExplainedRun, TimelineEntry } from '../../runtime/explain/explanation.js';
import { AlertEventDto } from '../alerts/alert.dto.js';
import { eventTime, scalars } from '../schema-parts.js';

/** What explanations are made of, as OpenAPI has it. */

export class ConditionPartDto implements ConditionPart {
  @ApiProperty({ type: String, description: 'As conditions are written.', example: 'amount > 10000' })
  readonly condition!: string;

  @ApiProperty({ type: Boolean })
  readonly holds!: boolean;

  @ApiProperty({ enum: ['all', 'any', 'not', 'test'], description: 'How it is put together; a `test` has no parts.' })
  readonly kind!: ConditionPart['kind'];

  @ApiProperty({ type: () => [ConditionPartDto], required: false })
  readonly parts?: readonly ConditionPartDto[];

  @ApiPropertyOptional({ ...scalars, description: 'Of a test: what it read; null: missing.' })
  readonly values?: Readonly<Record<string, Scalar | null>>;

  @ApiProperty({
    type: Number,
    required: false,
    description: 'Of a comparison of numbers that fails: how far they are apart, in their own unit (times: ms).',
  })
  readonly shortBy?: number;

  @ApiProperty({ type: String, description: 'What is so, for people.' })
  readonly said!: string;
}

export class ExplainedEventDto
  extends OmitType(AlertEventDto, ['fields', 'values'] as const)
  implements ExplainedEvent
{
  @ApiProperty({ type: String, required: false, description: 'Of which stream it is, where there are several.' })
  readonly stream?: string;
}

/** A condition at an event. */
@ApiExtraModels(ConditionPartDto)
export class ToldEventDto implements ToldEvent<ExplainedEvent> {
  @ApiProperty({ type: ExplainedEventDto })
  readonly event!: ExplainedEventDto;

  @ApiPropertyOptional({ ...scalars, description: 'What the features that the rule reads were at it.' })
  readonly features?: Readonly<Record<string, Scalar | null>>;

  @ApiProperty({
    allOf: [{ $ref: getSchemaPath(ConditionPartDto) }],
    nullable: true,
    description: 'The condition that was asked of it; null: there is none, and every event fits.',
  })
  readonly condition!: ConditionPartDto | null;
}

export class TakenEventDto extends ToldEventDto implements TakenEvent<ExplainedEvent> {
  @ApiProperty({ type: String, example: 'large' })
  readonly step!: string;
}

@ApiExtraModels(ToldEventDto)
export class AwaitedStepDto implements AwaitedStep<ExplainedEvent> {
  @ApiProperty({ type: String, example: 'drain' })
  readonly step!: string;

  @ApiProperty({ type: Number, description: 'How many more of its events are needed.' })
  readonly missing!: number;

  @ApiProperty({ type: Number, description: 'How many it needs in all.' })
  readonly needs!: number;

  @ApiProperty({ type: Number, description: 'Events that came meanwhile and were passed over.' })
  readonly passed!: number;

  @ApiProperty({
    allOf: [{ $ref: getSchemaPath(ToldEventDto) }],
    nullable: true,
    description: 'Of these the one that came nearest to its condition; null: there were none.',
  })
  readonly nearest!: ToldEventDto | null;
}

const ENDS = ['within', 'gap', 'negation', 'until', 'broken', 'skipped', 'limit', 'open', 'matched'] as const;

export class RunEndDto implements RunEnd<ExplainedEvent> {
  @ApiProperty({
    enum: ENDS,
    description:
      '`within`, `gap`: time ran out. `negation`: an event came that must not. `until`: an event ended the loop. `broken`: not the event asked for, and none may come between. `skipped`: another match made it void. `limit`: one partial match too many. `open`: it still waits. `matched`: it is the match of an alert.',
  })
  readonly why!: RunEnd<ExplainedEvent>['why'];

  @ApiProperty({ ...eventTime, nullable: true, description: 'Of `open`: when its time will run out; null: never.' })
  readonly at!: number | null;

  @ApiProperty({ type: String, required: false, description: 'Of a negation, of the loop, or that was asked for.' })
  readonly step?: string;

  @ApiProperty({ type: ToldEventDto, required: false, description: 'The event that ended it.' })
  readonly event?: ToldEventDto;
}

export class TimelineEntryDto implements TimelineEntry {
  @ApiProperty(eventTime)
  readonly time!: number;

  @ApiProperty({ type: String })
  readonly text!: string;

  @ApiProperty({ type: ExplainedEventDto, required: false, description: 'Absent: time alone did it.' })
  readonly event?: ExplainedEventDto;
}

export class ExplainedRunDto implements ExplainedRun {
  @ApiProperty({ type: Number, description: 'Place of its farthest step among those that take events, from 1 on.' })
  readonly reached!: number;

  @ApiProperty({ type: Number, description: 'How many steps take events.' })
  readonly of!: number;

  @ApiProperty({ type: [TakenEventDto] })
  readonly taken!: readonly TakenEventDto[];

  @ApiProperty({ type: [AwaitedStepDto] })
  readonly awaited!: readonly AwaitedStepDto[];

  @ApiProperty({ type: [String], description: 'Steps that must not have happened while it waited.' })
  readonly forbidden!: readonly string[];

  @ApiProperty({ type: RunEndDto })
  readonly end!: RunEndDto;

  @ApiProperty({ type: String, description: 'One sentence.' })
  readonly said!: string;

  @ApiProperty({ type: [TimelineEntryDto], description: 'What happened, in order of time.' })
  readonly timeline!: readonly TimelineEntryDto[];
}

@ApiExtraModels(ConditionPartDto)
export class ToldWindowDto implements ToldWindow {
  @ApiProperty(eventTime)
  readonly start!: number;

  @ApiProperty(eventTime)
  readonly end!: number;

  @ApiProperty({ type: Number })
  readonly events!: number;

  @ApiProperty({ ...scalars, description: 'What it came to.' })
  readonly values!: Readonly<Record<string, Scalar | null>>;

  @ApiPropertyOptional(scalars)
  readonly features?: Readonly<Record<string, Scalar | null>>;

  @ApiProperty({
    allOf: [{ $ref: getSchemaPath(ConditionPartDto) }],
    nullable: true,
    description: 'null: every window gives an alert.',
  })
  readonly having!: ConditionPartDto | null;
}
