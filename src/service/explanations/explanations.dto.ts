import { ApiProperty } from '@nestjs/swagger';
import type { Explanation } from '../../runtime/explain/explanation.js';
import { AlertDto } from '../alerts/alert.dto.js';
import { eventTime } from '../schema-parts.js';
import { AwaitedStepDto, ExplainedRunDto, ToldWindowDto } from './story.dto.js';

export class ExplanationDto implements Explanation {
  @ApiProperty({ type: String, example: 'offshore-drain' })
  readonly pattern!: string;

  @ApiProperty({ type: String })
  readonly title!: string;

  @ApiProperty({ type: String, description: 'Hash of the rule that was in force.' })
  readonly revision!: string;

  @ApiProperty({ enum: ['draft', 'shadow', 'live', 'retired'] })
  readonly status!: string;

  @ApiProperty({ type: String })
  readonly key!: string;

  @ApiProperty({ type: String, example: 'accountId' })
  readonly keyField!: string;

  @ApiProperty(eventTime)
  readonly at!: number;

  @ApiProperty({
    ...eventTime,
    nullable: true,
    description: 'Partial matches that were there at some time from here to `at` were looked at; null: all before.',
  })
  readonly from!: number | null;

  @ApiProperty({ type: Boolean })
  readonly fired!: boolean;

  @ApiProperty({ type: String, description: 'The answer in some sentences.' })
  readonly summary!: string;

  @ApiProperty({ type: [AlertDto], description: 'If it fired.' })
  readonly alerts!: Explanation['alerts'];

  @ApiProperty({ type: Number, description: 'Events of the key that were looked at.' })
  readonly events!: number;

  @ApiProperty({ type: Number, description: 'Partial matches in all.' })
  readonly runsSeen!: number;

  @ApiProperty({ type: [ExplainedRunDto], description: 'The partial matches that came farthest.' })
  readonly runs!: readonly ExplainedRunDto[];

  @ApiProperty({
    type: [AwaitedStepDto],
    description: 'Steps that can begin a match, with the event that came nearest.',
  })
  readonly begins!: readonly AwaitedStepDto[];

  @ApiProperty({
    type: [ToldWindowDto],
    description: 'Of a rule with a window: those that ended, the nearest to an alert first.',
  })
  readonly windows!: readonly ToldWindowDto[];

  @ApiProperty({ type: [String] })
  readonly notes!: readonly string[];
}
