import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { Snooze } from '../../runtime/ports/alert-store.js';
import { PageDto } from '../paging/page.js';
import { time } from '../schema-parts.js';

export class SnoozeDto implements Snooze {
  @ApiProperty({ type: String })
  readonly id!: string;

  @ApiProperty({ type: String })
  readonly key!: string;

  @ApiProperty({ type: String, nullable: true, description: 'null: in all patterns.' })
  readonly pattern!: string | null;

  @ApiProperty(time)
  readonly until!: number;

  @ApiProperty({ type: String })
  readonly reason!: string;

  @ApiProperty({ type: String })
  readonly author!: string;

  @ApiProperty(time)
  readonly at!: number;
}

export class SnoozePageDto extends PageDto {
  @ApiProperty({ type: [SnoozeDto] })
  readonly items!: readonly SnoozeDto[];
}

export class NewSnoozeDto {
  @ApiProperty({ type: String, description: 'For example an account.' })
  readonly key!: string;

  @ApiPropertyOptional({ type: String, nullable: true, description: 'Id of a pattern; absent: all patterns.' })
  readonly pattern?: string | null;

  @ApiProperty({
    oneOf: [{ type: 'string' }, { type: 'number' }],
    description: 'ISO 8601, or milliseconds since 1970; by the clock on the wall.',
  })
  readonly until!: string | number;

  @ApiPropertyOptional({ type: String })
  readonly reason?: string;

  @ApiPropertyOptional({ type: String, description: 'Who asks for it, where nobody has to log in.' })
  readonly author?: string;
}
