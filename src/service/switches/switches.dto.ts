import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { Switch } from './switch-control.js';

export class SwitchedByDto {
  @ApiPropertyOptional({ type: String, description: 'Who asks for it; not checked here.' })
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

export class StreamsDto {
  @ApiProperty({ type: [StreamDto] })
  readonly streams!: readonly StreamDto[];
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

export class SinkStatesDto {
  @ApiProperty({ type: [SinkStateDto] })
  readonly sinks!: readonly SinkStateDto[];
}
