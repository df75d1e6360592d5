import { ApiProperty } from '@nestjs/swagger';
import type { ConsideredAdvance } from '../../runtime/task/consider.js';
import { AlertDto } from '../alerts/alert.dto.js';

export class AdvanceDto implements ConsideredAdvance {
  @ApiProperty({ type: String })
  readonly patternId!: string;

  @ApiProperty({ type: String })
  readonly key!: string;

  @ApiProperty({ type: String, example: 'accountId' })
  readonly keyField!: string;

  @ApiProperty({
    type: String,
    nullable: true,
    description:
      'The farthest step that would be reached; null where runs are kept together, and no single one is told.',
  })
  readonly step!: string | null;

  @ApiProperty({ type: Number, nullable: true, description: 'Place of the step in the pattern, from 1 on.' })
  readonly reached!: number | null;

  @ApiProperty({ type: Number, description: 'Steps of the pattern.' })
  readonly of!: number;
}

export class AsOfDto {
  @ApiProperty({ type: String })
  readonly topic!: string;

  @ApiProperty({ type: Number })
  readonly partition!: number;

  @ApiProperty({ type: Number, description: 'Offset up to which records are in the state.' })
  readonly position!: number;

  @ApiProperty({ type: Number, format: 'int64', nullable: true, description: 'Event time in ms.' })
  readonly watermark!: number | null;
}

export class DecisionDto {
  @ApiProperty({
    type: Number,
    minimum: 0,
    maximum: 100,
    description: 'The largest score of `completes`; 0 if it is empty.',
  })
  readonly score!: number;

  @ApiProperty({
    type: [AlertDto],
    description: 'Alerts that it would complete, as they would be written, by rules that are live.',
  })
  readonly completes!: readonly AlertDto[];

  @ApiProperty({ type: [AdvanceDto], description: 'Patterns that it would begin or carry on.' })
  readonly advances!: readonly AdvanceDto[];

  @ApiProperty({ type: Boolean, description: 'It would be behind the watermark, and count for nothing.' })
  readonly late!: boolean;

  @ApiProperty({
    type: Number,
    description: 'Events of its keys that came, are still held back for event time, and were counted before it.',
  })
  readonly waiting!: number;

  @ApiProperty({ type: AsOfDto })
  readonly asOf!: AsOfDto;

  @ApiProperty({
    type: [String],
    description:
      'Partitions of internal topics that did not answer: rules of their keys have no say here. Empty: all rules have.',
  })
  readonly unanswered!: readonly string[];
}
