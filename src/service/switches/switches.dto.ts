import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
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

export class StreamDto {
  @ApiProperty({ type: String })
  readonly name!: string;

  @ApiProperty({ type: [String], description: 'Topics, or a regular expression between slashes.' })
  readonly topics!: readonly string[];

  @ApiProperty({ type: String })
  readonly format!: string;

  @ApiProperty({ type: String, nullable: true })
  readonly key!: string | null;

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
