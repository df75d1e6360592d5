import { ApiProperty } from '@nestjs/swagger';
import type { Alert, AlertEvent, AlertStep } from '../../runtime/ports/alert.js';

const time = { type: Number, format: 'int64', description: 'Milliseconds since 1970.' } as const;

export class AlertEventDto implements AlertEvent {
  @ApiProperty({ type: String, description: "The stream's own id of the transaction." })
  readonly id!: string;

  @ApiProperty(time)
  readonly eventTime!: number;

  @ApiProperty({ type: String, example: 'Withdrawal' })
  readonly kind!: string;

  @ApiProperty({ type: String })
  readonly topic!: string;

  @ApiProperty({ type: Number })
  readonly partition!: number;

  @ApiProperty({ type: Number, format: 'int64' })
  readonly offset!: number;

  @ApiProperty({ type: Object, description: 'All fields of the record.' })
  readonly fields!: Readonly<Record<string, unknown>>;
}

export class AlertStepDto implements AlertStep {
  @ApiProperty({ type: String, example: 'large' })
  readonly step!: string;

  @ApiProperty({ type: [AlertEventDto] })
  readonly events!: readonly AlertEventDto[];
}

export class AlertDto implements Alert {
  @ApiProperty({ type: String, description: 'The same for the same match, however often it is found.' })
  readonly id!: string;

  @ApiProperty({ type: String, example: 'offshore-drain' })
  readonly patternId!: string;

  @ApiProperty({ type: String })
  readonly title!: string;

  @ApiProperty({ type: String, description: 'Hash of the rule that found it.' })
  readonly revision!: string;

  @ApiProperty({ enum: ['low', 'medium', 'high', 'critical'] })
  readonly severity!: Alert['severity'];

  @ApiProperty({ type: Number, minimum: 0, maximum: 100 })
  readonly score!: number;

  @ApiProperty({ type: String, description: 'For example the account.' })
  readonly key!: string;

  @ApiProperty({ type: String, example: 'accountId' })
  readonly keyField!: string;

  @ApiProperty(time)
  readonly firstEventTime!: number;

  @ApiProperty(time)
  readonly lastEventTime!: number;

  @ApiProperty({ ...time, description: 'Event time at which the match was complete, milliseconds since 1970.' })
  readonly detectedAt!: number;

  @ApiProperty({ type: String, description: 'A sentence for people.' })
  readonly message!: string;

  @ApiProperty({
    type: Object,
    required: false,
    description: 'What the features that the rule reads were when the match was complete, by name; null: missing.',
  })
  readonly features?: Alert['features'];

  @ApiProperty({ type: [AlertStepDto] })
  readonly steps!: readonly AlertStepDto[];
}

export class AlertPageDto {
  @ApiProperty({ type: [AlertDto], description: 'Newest first.' })
  readonly alerts!: readonly AlertDto[];

  @ApiProperty({ type: String, nullable: true, description: 'Send it as `cursor` for the next page; null at the end.' })
  readonly next!: string | null;
}
