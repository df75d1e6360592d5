import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { Alert, AlertEvent, AlertStep } from '../../runtime/ports/alert.js';
import {
  ALERT_STATES,
  type AlertGroup,
  type AlertState,
  type Feedback,
  VERDICTS,
  type Verdict,
} from '../../runtime/ports/alert-store.js';
import { PageDto } from '../paging/page.js';
import { time } from '../schema-parts.js';

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

  @ApiProperty({
    type: Object,
    required: false,
    description:
      'What the condition of its step read at this event, by how it is written there: fields, features, what events before had, what reference lists had; null: missing.',
    example: { amount: 12000, usual: 85.5 },
  })
  readonly values?: AlertEvent['values'];
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

export class StoredAlertDto extends AlertDto {
  @ApiProperty({
    enum: ALERT_STATES,
    description: 'By the latest feedback; without any, snoozed while a snooze of its key has not ended, else open.',
  })
  readonly state!: AlertState;
}

export class AlertPageDto extends PageDto {
  @ApiProperty({ type: [StoredAlertDto], description: 'Newest first.' })
  readonly items!: readonly StoredAlertDto[];
}

export class FeedbackDto implements Feedback {
  @ApiProperty({ type: String })
  readonly id!: string;

  @ApiProperty({ type: String })
  readonly alertId!: string;

  @ApiProperty({ enum: VERDICTS })
  readonly verdict!: Verdict;

  @ApiProperty({ type: String })
  readonly note!: string;

  @ApiProperty({ type: String })
  readonly author!: string;

  @ApiProperty(time)
  readonly at!: number;
}

export class NewFeedbackDto {
  @ApiProperty({ enum: VERDICTS, description: 'Was it fraud?' })
  readonly verdict!: Verdict;

  @ApiPropertyOptional({ type: String })
  readonly note?: string;

  @ApiPropertyOptional({ type: String, description: 'Who says so, where nobody has to log in.' })
  readonly author?: string;
}

export class AlertDetailDto extends StoredAlertDto {
  @ApiProperty({ type: [FeedbackDto], description: 'Newest first.' })
  readonly feedback!: readonly FeedbackDto[];

  @ApiProperty({ type: [StoredAlertDto], description: 'Others of the same key, newest first; 20 at most.' })
  readonly related!: readonly StoredAlertDto[];
}

export class AlertGroupDto implements Omit<AlertGroup, 'last'> {
  @ApiProperty({ type: String })
  readonly key!: string;

  @ApiProperty({ type: String, example: 'accountId' })
  readonly keyField!: string;

  @ApiProperty({ type: String })
  readonly patternId!: string;

  @ApiProperty({ type: Number })
  readonly count!: number;

  @ApiProperty({ type: Number, description: 'Of them in state open.' })
  readonly open!: number;

  @ApiProperty({ type: Number })
  readonly scoreMax!: number;

  @ApiProperty(time)
  readonly firstAt!: number;

  @ApiProperty(time)
  readonly lastAt!: number;

  @ApiProperty({ type: StoredAlertDto, description: 'The newest of them.' })
  readonly last!: StoredAlertDto;
}

export class AlertGroupPageDto extends PageDto {
  @ApiProperty({ type: [AlertGroupDto], description: 'By their newest alert, newest first.' })
  readonly items!: readonly AlertGroupDto[];
}
