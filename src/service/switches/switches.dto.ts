import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { TableFeedStatus } from '../feeds/table-feeds.js';
import { PageDto } from '../paging/page.js';
import type { Switch } from './switch-control.js';

export class SwitchedByDto {
  @ApiPropertyOptional({ type: String, description: 'Who asks for it, where nobody has to log in.' })
  readonly author?: string;

  @ApiPropertyOptional({ type: String, description: 'Why.' })
  readonly message?: string;
}

export class SwitchDto implements Switch {
  @ApiProperty({ type: Boolean })
  readonly paused!: boolean;

  @ApiProperty({ type: Number, description: 'Milliseconds since 1970.' })
  readonly at!: number;

  @ApiProperty({ type: String })
  readonly author!: string;

  @ApiProperty({ type: String })
  readonly message!: string;
}

export class StreamTableDto implements TableFeedStatus {
  @ApiProperty({
    enum: ['waiting', 'feeding', 'paused', 'done'],
    description: 'waiting: for a rule that reads the stream; done: all rows are in its topic.',
  })
  readonly state!: TableFeedStatus['state'];

  @ApiProperty({ type: Number, description: 'Rows in its topic.' })
  readonly rows!: number;

  @ApiProperty({ type: Number, nullable: true, description: 'Milliseconds since 1970; null: it is not done.' })
  readonly doneAt!: number | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Why it does not go on at present; known to the process that reads the table.',
  })
  readonly trouble!: string | null;
}

export class StreamDto {
  @ApiProperty({ type: String })
  readonly name!: string;

  @ApiProperty({ type: [String], description: 'Topics, or a regular expression between slashes.' })
  readonly topics!: readonly string[];

  @ApiProperty({ type: String })
  readonly format!: string;

  @ApiProperty({ type: String, nullable: true })
  readonly key!: string | null;

  @ApiProperty({ type: StreamTableDto, nullable: true, description: 'How far its table is read; null: it is none.' })
  readonly table!: StreamTableDto | null;

  @ApiProperty({ type: Boolean })
  readonly paused!: boolean;

  @ApiProperty({ type: SwitchDto, nullable: true, description: 'Its last pause or resumption; null: there was none.' })
  readonly changed!: SwitchDto | null;
}

export class StreamPageDto extends PageDto {
  @ApiProperty({ type: [StreamDto] })
  readonly items!: readonly StreamDto[];
}

export class SinkStateDto {
  @ApiProperty({ type: String })
  readonly name!: string;

  @ApiProperty({ enum: ['created', 'running', 'paused', 'stopped'] })
  readonly state!: string;

  @ApiProperty({ type: Boolean })
  readonly paused!: boolean;

  @ApiProperty({ type: SwitchDto, nullable: true })
  readonly changed!: SwitchDto | null;
}

export class SinkPageDto extends PageDto {
  @ApiProperty({ type: [SinkStateDto] })
  readonly items!: readonly SinkStateDto[];
}
